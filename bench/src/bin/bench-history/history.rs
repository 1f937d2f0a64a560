//! The nights, and what is compared with what.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use bench::benchmark::Spread;

/// The routes are compared with this many connections: enough to keep the server busy.
const CONNECTIONS: u64 = 16;
/// How many nights before a night say what is usual.
const USUAL_NIGHTS: usize = 14;
/// With fewer nights before it, a night is not judged.
const FEWEST_NIGHTS: usize = 3;
/// So much more than usual is not chance: of the nights of one source, none was more than a tenth away.
pub const ALERT: f64 = 1.2;

/// One run.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Night {
    /// When.
    pub day: String,
    /// Of which source.
    pub revision: String,
    /// For each route: the processor's time for a request, as a ratio to the native build's.
    pub ratios: BTreeMap<String, f64>,
}

/// A line of what `bench --output json` prints.
#[derive(Deserialize)]
struct Row {
    route: String,
    connections: u64,
    server: String,
    ratios: Ratios,
}

#[derive(Deserialize)]
struct Ratios {
    processor: f64,
}

impl Night {
    /// From the results of a run.
    pub fn from_results(results: &str, day: String, revision: String) -> Result<Self> {
        let rows: Vec<Row> = serde_json::from_str(results)?;
        let counted = rows
            .into_iter()
            .filter(|row| row.connections == CONNECTIONS && row.server == "aot");
        let ratios: BTreeMap<_, _> = counted.map(|row| (row.route, row.ratios.processor)).collect();
        anyhow::ensure!(
            !ratios.is_empty(),
            "no result with {CONNECTIONS} connections of the server `aot`"
        );
        Ok(Self { day, revision, ratios })
    }
}

/// All nights, the oldest first.
#[derive(Debug, Default)]
pub struct History(pub Vec<Night>);

impl History {
    /// From one JSON line a night.
    pub fn parse(text: &str) -> Result<Self> {
        let lines = text.lines().enumerate();
        let nights = lines.map(|(number, line)| {
            serde_json::from_str(line).with_context(|| format!("line {} is not a night", number + 1))
        });
        Ok(Self(nights.collect::<Result<_>>()?))
    }

    /// One JSON line a night.
    pub fn text(&self) -> Result<String> {
        let lines = self.0.iter().map(|night| Ok(serde_json::to_string(night)? + "\n"));
        lines.collect()
    }

    /// Adds a night. A second run of the same day replaces the first.
    pub fn add(&mut self, night: Night) {
        self.0.retain(|kept| kept.day != night.day);
        self.0.push(night);
    }

    /// All routes.
    pub fn routes(&self) -> Vec<&str> {
        let mut routes: Vec<&str> = self
            .0
            .iter()
            .flat_map(|night| night.ratios.keys().map(String::as_str))
            .collect();
        routes.sort_unstable();
        routes.dedup();
        routes
    }

    /// How a route was on a night, measured by the nights before: 1 is as usual, 1.1 a tenth more work for a request.
    pub fn change(&self, route: &str, night: usize) -> Option<f64> {
        let ratio = |night: &Night| night.ratios.get(route).copied();
        let before: Vec<f64> = self.0[..night]
            .iter()
            .rev()
            .filter_map(ratio)
            .take(USUAL_NIGHTS)
            .collect();
        if before.len() < FEWEST_NIGHTS {
            return None;
        }
        Some(ratio(&self.0[night])? / Spread::from_figures(before)?.median)
    }

    /// The routes of the newest night that are above the alert line, as sentences.
    pub fn regressions(&self) -> Vec<String> {
        let Some(newest) = self.0.len().checked_sub(1) else {
            return Vec::new();
        };
        let routes = self.routes().into_iter();
        let changes = routes.filter_map(|route| Some((route, self.change(route, newest)?)));
        let worse = changes.filter(|(_, change)| *change > ALERT);
        worse
            .map(|(route, change)| format!("{route}: {change:.2} times the usual work for a request"))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn history(ratios: &[f64]) -> History {
        let nights = ratios.iter().enumerate().map(|(day, ratio)| Night {
            day: format!("2026-01-{:02}", day + 1),
            revision: "r".into(),
            ratios: [("GET /".to_owned(), *ratio)].into(),
        });
        History(nights.collect())
    }

    #[test]
    fn only_a_clear_change_for_the_worse_is_told() {
        let cases: &[(&[f64], bool)] = &[
            (&[2.0, 2.0, 2.0, 2.3], false),
            (&[2.0, 2.0, 2.0, 2.5], true),
            (&[2.0, 2.0, 2.0, 1.0], false),
            (&[2.0, 2.0, 9.0], false),
            // One bad night does not change what is usual.
            (&[2.0, 2.0, 9.0, 2.0, 2.6], true),
            (&[], false),
        ];
        for (ratios, is_regression) in cases {
            assert_eq!(!history(ratios).regressions().is_empty(), *is_regression, "{ratios:?}");
        }
    }

    #[test]
    fn a_night_comes_from_results_and_is_kept_as_a_line() {
        let row = |server: &str, connections: u32, processor: f64| {
            serde_json::json!({"route": "GET /", "connections": connections, "server": server,
                "ratios": {"processor": processor, "p99": 1.0}, "middle": {}})
        };
        let results = serde_json::json!([row("aot", 1, 3.0), row("aot", 16, 2.0), row("native", 16, 1.0)]).to_string();
        let night = Night::from_results(&results, "2026-01-09".into(), "abc".into()).unwrap();
        assert_eq!(night.ratios, [("GET /".to_owned(), 2.0)].into());
        let mut kept = History::parse(&history(&[1.0, 1.5]).text().unwrap()).unwrap();
        kept.add(night.clone());
        kept.add(Night {
            revision: "def".into(),
            ..night
        });
        assert_eq!(kept.0.len(), 3);
        assert_eq!(kept.0[2].revision, "def");
        assert!(Night::from_results("[]", String::new(), String::new()).is_err());
        assert!(History::parse("{}\n").unwrap_err().to_string().contains("line 1"));
    }
}
