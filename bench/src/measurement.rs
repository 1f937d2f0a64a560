//! What is measured, and the middle of several rounds.

use std::collections::BTreeMap;

use crate::load::Route;

/// One load on one server.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Measurement {
    /// Answers a second.
    pub requests_per_second: f64,
    /// Milliseconds within which half of the answers came.
    pub median_ms: f64,
    /// Milliseconds within which 99 of 100 answers came.
    pub p99_ms: f64,
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
        let middle = |figure: fn(&Measurement) -> f64| median(rounds.iter().map(figure).collect());
        Some(Measurement {
            requests_per_second: middle(|one| one.requests_per_second)?,
            median_ms: middle(|one| one.median_ms)?,
            p99_ms: middle(|one| one.p99_ms)?,
            errors: rounds.iter().map(|one| one.errors).sum(),
        })
    }

    /// The middle of the ratios to the native twin, each taken within one round.
    pub fn ratio(
        &self,
        route: Route,
        connections: u32,
        server: &'static str,
        figure: fn(&Measurement) -> f64,
    ) -> Option<f64> {
        let rounds = self.0.get(&(route, connections, server))?;
        let native = self.0.get(&(route, connections, "native"))?;
        median(
            rounds
                .iter()
                .zip(native)
                .map(|(one, native)| figure(one) / figure(native))
                .collect(),
        )
    }
}

fn median(mut figures: Vec<f64>) -> Option<f64> {
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied()
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
                errors: 1,
            };
            results.add(Route::Root, 16, "native", measured(native));
            results.add(Route::Root, 16, "aot", measured(aot));
        }
        let middle = results.middle(Route::Root, 16, "native").unwrap();
        assert_eq!((middle.requests_per_second, middle.errors), (100.0, 3));
        assert_eq!(
            results.ratio(Route::Root, 16, "aot", |one| one.requests_per_second),
            Some(0.9)
        );
        assert_eq!(results.middle(Route::Root, 1, "aot"), None);
    }
}
