//! What the benchmarks of the tool share: processes that are measured, and the spread of what was found.

pub mod process;
pub mod spread;
