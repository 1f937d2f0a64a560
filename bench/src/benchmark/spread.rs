//! Several rounds of a figure.

use serde::{Deserialize, Serialize};

/// The least, the middle and the most of a figure.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Spread {
    /// The least.
    pub min: f64,
    /// The middle; of an even count, the mean of both that are in the middle.
    pub median: f64,
    /// The most.
    pub max: f64,
}

impl Spread {
    /// Of figures in any order; none of no figures.
    pub fn from_figures(figures: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut figures: Vec<f64> = figures.into_iter().collect();
        figures.sort_by(f64::total_cmp);
        let (min, max) = (*figures.first()?, *figures.last()?);
        let (lower, upper) = (figures[(figures.len() - 1) / 2], figures[figures.len() / 2]);
        Some(Self {
            min,
            median: f64::midpoint(lower, upper),
            max,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_in_the_middle() {
        let expected = Spread {
            min: 1.0,
            median: 2.0,
            max: 90.0,
        };
        assert_eq!(Spread::from_figures([90.0, 1.0, 2.0]), Some(expected));
        let of = |figures: &[f64]| Spread::from_figures(figures.iter().copied()).map(|spread| spread.median);
        assert_eq!(of(&[4.0, 1.0]), Some(2.5));
        assert_eq!(of(&[90.0, 1.0, 3.0, 2.0]), Some(2.5));
        assert_eq!(of(&[7.0]), Some(7.0));
        assert_eq!(Spread::from_figures([]), None);
    }
}
