//! Pure: what an image is made of, and the image of each platform before it is packed.

use std::collections::BTreeMap;

use super::definition::Definition;

/// The annotation by which engines and crun recognise a Wasm image. On Kubernetes only the pod's own annotation counts;
/// this one is for engines that read images.
pub const VARIANT_ANNOTATION: &str = "module.wasm.image/variant";
/// crun takes only entrypoints that end in .wasm for modules.
/// <https://github.com/containers/crun/blob/main/docs/wasm-wasi-on-kubernetes.md>
pub const VARIANT: &str = "compat-smart";
/// Label of images that carry WasmEdge: its version.
pub const ENGINE_LABEL: &str = "deploy-tool.wasmedge";
/// Label with the digest of the module before it was compiled ahead of time.
pub const MODULE_LABEL: &str = "deploy-tool.module";
/// The architecture that the builder compiles for.
pub const COMPILED_ARCHITECTURE: &str = "amd64";
/// Others that nodes have. The module is the same for all, and the engine interprets it.
pub const OTHER_ARCHITECTURE: &str = "arm64";

/// What an image is made of.
#[derive(Clone, Debug)]
pub struct Contents<'a> {
    /// How it is made.
    pub definition: &'a Definition,
    /// The module as the compiler made it.
    pub module: &'a [u8],
    /// The same with native code beside it, where it was compiled ahead of time.
    pub compiled: Option<Compiled<'a>>,
    /// The bytes of the definition's files, in its order.
    pub files: Vec<Vec<u8>>,
    /// What is said of it: `org.opencontainers.image.*`.
    pub annotations: BTreeMap<String, String>,
    /// The same of the index alone: what may change while the images stay.
    pub index_annotations: BTreeMap<String, String>,
}

/// A module compiled ahead of time.
#[derive(Clone, Copy, Debug)]
pub struct Compiled<'a> {
    /// The module.
    pub bytes: &'a [u8],
    /// The version of WasmEdge that compiled it.
    pub engine: &'a str,
}

/// The image of one platform, before it is packed.
#[derive(Clone, Debug)]
pub struct Variant<'a> {
    /// In the words of images.
    pub architecture: &'static str,
    /// The engine that its native code is for.
    pub engine: Option<&'a str>,
    /// The layer as a tar file.
    pub tar: Vec<u8>,
}
