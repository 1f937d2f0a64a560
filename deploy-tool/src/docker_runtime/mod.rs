//! Registers crun with WasmEdge as a further runtime of this host's Docker engine: edits its configuration, and records that
//! for the removal.

pub mod configuration;
pub mod crun;
pub mod engine;
pub mod record;

/// The runtime that takes containers for Wasm by their annotation, as containerd's handler of that name on nodes.
pub const CRUN: &str = "crun";
/// The one that takes every container for Wasm: engines before 25 pass on no annotations.
pub const CRUN_WASM: &str = "crun-wasm";
