//! What native code is for.

use serde::Serialize;

/// The target of native code: by the header of its section, or of a shared object.
/// <https://github.com/WasmEdge/WasmEdge/blob/0.14.1/lib/loader/ast/section.cpp>
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NativeCode {
    /// The version of its form: an engine of another one ignores a section, and refuses a shared object.
    pub format: u32,
    /// The operating system, in the words of images.
    pub os: String,
    /// The architecture, in the words of images.
    pub architecture: String,
    /// It is a shared object around the module, and not a section of it.
    pub is_shared_object: bool,
}
