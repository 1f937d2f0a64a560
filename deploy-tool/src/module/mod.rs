//! From a workspace to a Wasm module compiled ahead of time, each step kept by what went into it.

pub mod builder;
pub mod compile;
pub mod crates;
pub mod inputs;
pub mod keep;
pub mod native;
pub mod profile;
pub mod stage;
pub mod workspace;

/// Compiled for the guest's target.
pub const TARGET: &str = "wasm32-wasip1";
/// Compiled for where the module is compared with its native twin.
pub const NATIVE_TARGET: &str = "x86_64-unknown-linux-gnu";
