//! What is measured, and its spread over the rounds.

use bench::benchmark::Spread;
use serde::Serialize;

/// Of one start of the service.
#[derive(Clone, Copy, Debug)]
pub struct Figures {
    /// From the command to the first answer, in milliseconds.
    pub start_ms: f64,
    /// What the process has in memory, in millions of bytes.
    pub resident_mb: f64,
    /// Of that, what no file stands behind.
    pub own_mb: f64,
    /// Answers of `/healthz` a second.
    pub requests_per_second: f64,
}

/// All figures of a run: those of the first road, which the others are compared with, come first.
#[derive(Debug, Default)]
pub struct Results(Vec<(&'static str, Vec<Figures>)>);

/// A line of the table.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Row {
    /// The road.
    pub road: &'static str,
    /// From the command to the first answer, in milliseconds.
    pub start_ms: Spread,
    /// The same as a share of the first road's in the same round.
    pub start_ratio: Spread,
    /// What the process has in memory, in millions of bytes.
    pub resident_mb: Spread,
    /// Of that, what no file stands behind.
    pub own_mb: Spread,
    /// Answers a second.
    pub requests_per_second: Spread,
    /// The same as a share of the first road's in the same round.
    pub requests_ratio: Spread,
}

impl Results {
    /// Adds the figures of a round.
    pub fn add(&mut self, road: &'static str, figures: Figures) {
        match self.0.iter_mut().find(|(name, _)| *name == road) {
            Some((_, rounds)) => rounds.push(figures),
            None => self.0.push((road, vec![figures])),
        }
    }

    /// A row for each road.
    pub fn rows(&self) -> Vec<Row> {
        let base = self.0.first().map_or(&[][..], |(_, rounds)| rounds);
        self.0
            .iter()
            .filter_map(|(road, rounds)| row(road, rounds, base))
            .collect()
    }
}

fn row(road: &'static str, rounds: &[Figures], base: &[Figures]) -> Option<Row> {
    let spread = |figure: fn(&Figures) -> f64| Spread::from_figures(rounds.iter().map(figure));
    let ratio = |figure: fn(&Figures) -> f64| {
        let pairs = rounds.iter().zip(base);
        Spread::from_figures(pairs.map(|(own, base)| figure(own) / figure(base)))
    };
    Some(Row {
        road,
        start_ms: spread(|figures| figures.start_ms)?,
        start_ratio: ratio(|figures| figures.start_ms)?,
        resident_mb: spread(|figures| figures.resident_mb)?,
        own_mb: spread(|figures| figures.own_mb)?,
        requests_per_second: spread(|figures| figures.requests_per_second)?,
        requests_ratio: ratio(|figures| figures.requests_per_second)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ratios_are_taken_within_a_round() {
        let mut results = Results::default();
        let figures = |start_ms| Figures {
            start_ms,
            resident_mb: 10.0,
            own_mb: 2.0,
            requests_per_second: 100.0,
        };
        for (first, second) in [(10.0, 20.0), (100.0, 150.0), (1000.0, 4000.0)] {
            results.add("a", figures(first));
            results.add("b", figures(second));
        }
        let rows = results.rows();
        let ratios: Vec<_> = rows.iter().map(|row| (row.road, row.start_ratio.median)).collect();
        assert_eq!(ratios, [("a", 1.0), ("b", 2.0)]);
        assert!(Results::default().rows().is_empty());
    }
}
