//! What the benchmarks of the tool share: processes that are measured, and the spread of what was found.

pub mod benchmark;
pub mod http;
pub mod process;

use benchmark::Spread;

/// A figure's least, middle and most for a table: in columns of eight.
pub fn columns(spread: Spread) -> String {
    [spread.min, spread.median, spread.max]
        .map(|figure| format!("{figure:>8.2}"))
        .concat()
}

/// What is printed at the end.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub enum Output {
    /// A table
    Text,
    /// For machines
    Json,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_eight_wide() {
        let spread = Spread {
            min: 1.0,
            median: 2.0,
            max: 90.0,
        };
        assert_eq!(columns(spread), "    1.00    2.00   90.00");
    }
}
