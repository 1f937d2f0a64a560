//! Pure: the facts about an image that was built here.

use std::collections::BTreeMap;
use std::path::PathBuf;

use oci_artifacts::Digest;
use serde::Serialize;

/// A built image. As JSON it is the `data` of the result of `build --output json`.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Built {
    /// Which definition it was built from.
    pub name: String,
    /// The exact reference.
    pub reference: String,
    /// The digest of its index.
    pub digest: Digest,
    /// The folder of its OCI layout.
    pub layout: PathBuf,
    /// The same as one file, where it was asked for.
    pub archive: Option<PathBuf>,
    /// The module as the compiler made it.
    pub module: PathBuf,
    /// The same module, compiled ahead of time.
    pub compiled_module: Option<PathBuf>,
    /// SHA-256 of the module before it was compiled ahead of time.
    pub module_digest: String,
    /// The digest of the sources that it was compiled from here.
    #[serde(skip)]
    pub sources: Option<String>,
    /// Bytes of that module.
    pub module_size_bytes: usize,
    /// Bytes of the module in the image.
    pub packed_size_bytes: usize,
    /// Bytes that a node of x86-64 pulls.
    pub image_size_bytes: u64,
    /// The version of WasmEdge that compiled it ahead of time and must run it.
    pub engine: Option<String>,
}

/// The exact references of images as they are on nodes that they are loaded into, by the names of their definitions.
pub fn references(built: &[Built]) -> BTreeMap<String, String> {
    let reference = |image: &Built| (image.name.clone(), image.reference.clone());
    built.iter().map(reference).collect()
}
