//! The facts about a node before a probe runs.

use k8s_openapi::api::core::v1::Node;
use k8s_openapi::api::node::v1::RuntimeClass;
use oci_artifacts::wasm::native_code::NativeCode;

/// Facts about a node.
#[derive(Clone, Debug)]
pub struct Facts<'a> {
    /// The node.
    pub node: &'a Node,
    /// The RuntimeClass.
    pub class: &'a RuntimeClass,
    /// The native code in the probe's image; none for an image that was named and not looked into.
    pub native: Option<&'a NativeImage>,
}

/// The native code in the probe's image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NativeImage {
    /// The section of the module.
    pub section: Option<NativeCode>,
    /// The version of WasmEdge that made it.
    pub engine: String,
}
