//! What the benchmarks of the tool share: processes that are measured, and the spread of what was found.

pub mod process;
pub mod spread;

/// What is printed at the end.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub enum Output {
    /// A table
    Text,
    /// For machines
    Json,
}
