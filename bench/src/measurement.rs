//! What is measured, and the middle of several rounds.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::route::{CONNECTIONS, Route};
use crate::servers::BUILDS;
use bench::benchmark::Spread;

/// One load on one server.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Measurement {
    /// Answers a second.
    pub requests_per_second: f64,
    /// Milliseconds within which half of the answers came.
    pub median_ms: f64,
    /// Milliseconds within which 99 of 100 answers came.
    pub p99_ms: f64,
    /// Microseconds that a processor works in the server for one answer. Hardly moved by what else runs on the
    /// machine, where the other figures are.
    pub processor_us: f64,
    /// Answers other than 2xx, and requests without an answer.
    pub errors: u64,
}

/// All measurements of a run.
#[derive(Debug, Default)]
pub struct Results(BTreeMap<(Route, u32, &'static str), Vec<Measurement>>);

impl Results {
    /// Adds one.
    pub fn add(&mut self, route: Route, connections: u32, server: &'static str, measured: Measurement) {
        self.0.entry((route, connections, server)).or_default().push(measured);
    }

    /// The middle of the rounds, figure by figure; errors are added up.
    pub fn middle(&self, route: Route, connections: u32, server: &'static str) -> Option<Measurement> {
        let rounds = self.0.get(&(route, connections, server))?;
        let middle = |figure: fn(&Measurement) -> f64| median(rounds.iter().map(figure));
        Some(Measurement {
            requests_per_second: middle(|round| round.requests_per_second)?,
            median_ms: middle(|round| round.median_ms)?,
            p99_ms: middle(|round| round.p99_ms)?,
            processor_us: middle(|round| round.processor_us)?,
            errors: rounds.iter().map(|round| round.errors).sum(),
        })
    }

    /// The middle of the ratios to the native build, each taken within one round.
    pub fn ratios(&self, route: Route, connections: u32, server: &'static str) -> Option<Ratios> {
        let rounds = self.0.get(&(route, connections, server))?;
        let native = self.0.get(&(route, connections, "native"))?;
        let middle = |figure: fn(&Measurement) -> f64| {
            let rounds = rounds.iter().zip(native);
            median(rounds.map(|(own, native)| figure(own) / figure(native)))
        };
        Some(Ratios {
            requests_per_second: middle(|round| round.requests_per_second)?,
            median: middle(|round| round.median_ms)?,
            p99: middle(|round| round.p99_ms)?,
            processor: middle(|round| round.processor_us)?,
        })
    }

    /// A row for each route, number of connections and server, in that order.
    pub fn rows(&self) -> Vec<Row> {
        let mut rows = Vec::new();
        for route in Route::ALL {
            for connections in CONNECTIONS {
                for build in &BUILDS {
                    let server = build.name;
                    rows.extend(self.row(route, connections, server));
                }
            }
        }
        rows
    }

    fn row(&self, route: Route, connections: u32, server: &'static str) -> Option<Row> {
        Some(Row {
            route: route.name(),
            connections,
            server,
            middle: self.middle(route, connections, server)?,
            ratios: self.ratios(route, connections, server)?,
        })
    }
}

/// What a server has of the native build's figures.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Ratios {
    /// Of answers a second.
    pub requests_per_second: f64,
    /// Of the time within which half of the answers came.
    pub median: f64,
    /// Of the time within which 99 of 100 answers came.
    pub p99: f64,
    /// Of the processor's time for one answer.
    pub processor: f64,
}

/// A line of the table.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Row {
    /// What was asked for.
    pub route: &'static str,
    /// How many connections at once.
    pub connections: u32,
    /// Who answered.
    pub server: &'static str,
    /// The figures.
    pub middle: Measurement,
    /// The figures as shares of the native build's.
    pub ratios: Ratios,
}

fn median(figures: impl Iterator<Item = f64>) -> Option<f64> {
    Spread::from_figures(figures).map(|spread| spread.median)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_round_counts_and_ratios_are_taken_within_a_round() {
        let mut results = Results::default();
        for (native, aot) in [(100.0, 90.0), (10.0, 10.0), (200.0, 100.0)] {
            let measured = |requests_per_second| Measurement {
                requests_per_second,
                median_ms: 1.0,
                p99_ms: 2.0,
                processor_us: 5.0,
                errors: 1,
            };
            results.add(Route::Root, 16, "native", measured(native));
            results.add(Route::Root, 16, "aot", measured(aot));
        }
        let middle = results.middle(Route::Root, 16, "native").unwrap();
        assert_eq!((middle.requests_per_second, middle.errors), (100.0, 3));
        let rows = results.rows();
        let shares: Vec<_> = rows
            .iter()
            .map(|row| (row.server, row.ratios.requests_per_second))
            .collect();
        assert_eq!(shares, [("native", 1.0), ("aot", 0.9)]);
    }
}
