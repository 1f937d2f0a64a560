//! Several rounds of a figure.

use serde::{Deserialize, Serialize};

/// The least, the middle and the most of a figure.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Spread {
    /// The least.
    pub min: f64,
    /// The middle.
    pub median: f64,
    /// The most.
    pub max: f64,
}

impl Spread {
    /// Of figures in any order; none of no figures.
    pub fn from_figures(figures: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut figures: Vec<f64> = figures.into_iter().collect();
        figures.sort_by(f64::total_cmp);
        Some(Self {
            min: *figures.first()?,
            median: *figures.get(figures.len() / 2)?,
            max: *figures.last()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_is_no_mean() {
        let expected = Spread {
            min: 1.0,
            median: 2.0,
            max: 90.0,
        };
        assert_eq!(Spread::from_figures([90.0, 1.0, 2.0]), Some(expected));
        assert_eq!(Spread::from_figures([]), None);
    }
}
