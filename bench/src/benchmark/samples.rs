//! What was measured, round by round.

use std::collections::BTreeMap;

use super::{Quantity, Spread};

/// All figures of a run.
#[derive(Clone, Debug, Default)]
pub struct Samples(BTreeMap<(Quantity, String), BTreeMap<u32, Vec<f64>>>);

impl Samples {
    /// Adds one.
    pub fn add(&mut self, quantity: Quantity, variant: &str, round: u32, figure: f64) {
        let rounds = self.0.entry((quantity, variant.to_owned())).or_default();
        rounds.entry(round).or_default().push(figure);
    }

    /// All figures of a variant.
    pub fn spread(&self, quantity: Quantity, variant: &str) -> Option<Spread> {
        Spread::from_figures(self.rounds(quantity, variant)?.values().flatten().copied())
    }

    /// The ratios to another variant's figures, each of the middles of one round; none where that has nothing.
    pub fn ratio(&self, quantity: Quantity, variant: &str, reference: &str) -> Option<Spread> {
        let (own, references) = (self.rounds(quantity, variant)?, self.rounds(quantity, reference)?);
        let middle = |figures: &Vec<f64>| Spread::from_figures(figures.iter().copied()).map(|spread| spread.median);
        let ratios = own.iter().filter_map(|(round, figures)| {
            let reference = middle(references.get(round)?).filter(|reference| *reference > 0.0)?;
            Some(middle(figures)? / reference)
        });
        Spread::from_figures(ratios)
    }

    fn rounds(&self, quantity: Quantity, variant: &str) -> Option<&BTreeMap<u32, Vec<f64>>> {
        self.0.get(&(quantity, variant.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ratios_are_taken_within_a_round() {
        let mut samples = Samples::default();
        for (round, (native, aot)) in (0..).zip([(100.0, 90.0), (10.0, 10.0), (200.0, 100.0)]) {
            samples.add(Quantity::Start, "native", round, native);
            samples.add(Quantity::Start, "aot", round, aot);
        }
        samples.add(Quantity::Start, "aot", 9, 1.0);
        let ratio = samples.ratio(Quantity::Start, "aot", "native").unwrap();
        assert_eq!((ratio.min, ratio.median, ratio.max), (0.5, 0.9, 1.0));
        assert_eq!(samples.spread(Quantity::Start, "native").unwrap().median, 100.0);
        assert_eq!(samples.spread(Quantity::Pull, "native"), None);
    }

    #[test]
    fn nothing_is_no_multiple_of_nothing() {
        let mut samples = Samples::default();
        samples.add(Quantity::RolloutFailed, "native", 0, 0.0);
        samples.add(Quantity::RolloutFailed, "aot", 0, 0.0);
        assert_eq!(samples.ratio(Quantity::RolloutFailed, "aot", "native"), None);
    }
}
