//! Pure: what is measured, its spread, and the ratios to another tool within a round.

use std::collections::BTreeMap;

use bench::benchmark::Spread;
use bench::process::Measurement;
use serde::Serialize;

use crate::client::Client;

/// What is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Case {
    /// A service is built and pushed, of which nothing has changed.
    Unchanged,
    /// A service is built and pushed whose module, compiled already, has changed.
    Changed,
    /// An image of so many millions of bytes is pushed.
    Push(u32),
}

/// What deploy-tool is to reach in the middle of the rounds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Goal {
    /// At most so many seconds.
    Seconds(f64),
    /// At most this share of the other tool's time.
    Ratio(f64),
    /// At least this share of the other tool's bytes a second, with at most so many millions of bytes of memory.
    Throughput(f64, f64),
}

impl Case {
    /// For tables.
    pub fn name(self) -> String {
        match self {
            Self::Unchanged => "unchanged service: build, push".to_owned(),
            Self::Changed => "changed module: build, push".to_owned(),
            Self::Push(size) => format!("image of {size} MB: push"),
        }
    }

    /// Who is measured; the others are compared to the first.
    pub fn clients(self) -> [Client; 2] {
        match self {
            Self::Unchanged | Self::Changed => [Client::Docker, Client::DeployTool],
            Self::Push(_) => [Client::Crane, Client::DeployTool],
        }
    }

    /// The millions of bytes of an image that is only pushed.
    pub fn size(self) -> Option<u32> {
        match self {
            Self::Push(size) => Some(size),
            _ => None,
        }
    }

    fn goal(self) -> Goal {
        match self {
            Self::Unchanged => Goal::Seconds(0.3),
            Self::Changed => Goal::Ratio(0.5),
            Self::Push(_) => Goal::Throughput(0.9, 64.0),
        }
    }
}

/// All measurements.
#[derive(Debug, Default)]
pub struct Results(BTreeMap<(Case, Client), Vec<Measurement>>);

/// A line of the table.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Row {
    /// What was done.
    pub case: String,
    /// By whom.
    pub tool: &'static str,
    /// How long it took.
    pub seconds: Spread,
    /// Its time as a share of the other tool's in the same round.
    pub ratio: Spread,
    /// How long a processor worked for the process that was started; Docker's work is done by its engine.
    pub processor_seconds: Spread,
    /// The memory of that process at most, in millions of bytes.
    pub memory_mb: Spread,
    /// What deploy-tool is to reach.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub goal: Option<Goal>,
}

impl Row {
    /// Whether the goal is reached.
    pub fn meets(&self, goal: Goal) -> bool {
        match goal {
            Goal::Seconds(most) => self.seconds.median <= most,
            Goal::Ratio(most) => self.ratio.median <= most,
            Goal::Throughput(least, memory) => self.ratio.median <= 1.0 / least && self.memory_mb.max < memory,
        }
    }
}

impl Results {
    /// Adds one.
    pub fn add(&mut self, case: Case, client: Client, measured: Measurement) {
        self.0.entry((case, client)).or_default().push(measured);
    }

    /// A row for each case and client.
    pub fn rows(&self) -> Vec<Row> {
        self.0
            .keys()
            .filter_map(|(case, client)| self.row(*case, *client))
            .collect()
    }

    fn row(&self, case: Case, client: Client) -> Option<Row> {
        let runs = self.0.get(&(case, client))?;
        let base = self.0.get(&(case, case.clients()[0]))?;
        let figures = |figure: fn(&Measurement) -> f64| Spread::from_figures(runs.iter().map(figure));
        Some(Row {
            case: case.name(),
            tool: client.name(),
            seconds: figures(|run| run.seconds)?,
            ratio: Spread::from_figures(runs.iter().zip(base).map(|(run, base)| run.seconds / base.seconds))?,
            processor_seconds: figures(|run| run.processor_seconds)?,
            memory_mb: figures(|run| run.memory_mb)?,
            goal: (client == Client::DeployTool).then(|| case.goal()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(case: Case, base: [f64; 3], own: [f64; 3], memory_mb: f64) -> Vec<Row> {
        let mut results = Results::default();
        for (client, seconds) in case.clients().into_iter().zip([base, own]) {
            for seconds in seconds {
                let processor_seconds = 0.0;
                let measured = Measurement {
                    seconds,
                    processor_seconds,
                    memory_mb,
                };
                results.add(case, client, measured);
            }
        }
        results.rows()
    }

    #[test]
    fn ratios_are_taken_within_a_round() {
        let rows = rows(Case::Changed, [1.0, 4.0, 2.0], [0.5, 1.0, 2.0], 1.0);
        let found: Vec<_> = rows
            .iter()
            .map(|row| (row.tool, row.seconds.median, row.ratio.median))
            .collect();
        assert_eq!(found, [("docker", 2.0, 1.0), ("deploy-tool", 1.0, 0.5)]);
        assert_eq!(rows[0].goal, None);
        assert!(rows[1].meets(rows[1].goal.unwrap()));
    }

    #[test]
    fn a_goal_is_missed_by_time_or_by_memory() {
        let cases = [
            (Case::Unchanged, 0.30, 1.0, true),
            (Case::Unchanged, 0.31, 1.0, false),
            (Case::Changed, 0.51, 1.0, false),
            (Case::Push(100), 1.11, 63.0, true),
            (Case::Push(100), 1.12, 63.0, false),
            (Case::Push(100), 1.11, 64.0, false),
        ];
        for (case, seconds, memory, expected) in cases {
            let rows = rows(case, [1.0; 3], [seconds; 3], memory);
            assert_eq!(
                rows[1].meets(rows[1].goal.unwrap()),
                expected,
                "{case:?} {seconds} {memory}"
            );
        }
    }
}
