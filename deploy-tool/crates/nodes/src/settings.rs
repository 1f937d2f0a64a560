//! Fixed names.

/// Label of nodes that have the engine of oci/node/engine: its name.
pub const NODE_ENGINE_LABEL: &str = "wasm-engine";
