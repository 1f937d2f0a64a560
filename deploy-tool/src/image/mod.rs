//! Pure: from a module and a definition to an OCI image. The same inputs give the same bytes, and so the same digest.
//!
//! <https://github.com/opencontainers/image-spec/blob/main/manifest.md>

mod archive;
mod definition;
mod layer;
mod specification;

pub use archive::archive;
pub use definition::{Definition, DefinitionError, ExtraFile};
pub use layer::{LayerError, LayerFile, layer};

use crate::digest;
use specification::{Configuration, Descriptor, History, Manifest, Process, RootFilesystem};

/// The annotation by which engines and crun recognise a Wasm image. On Kubernetes only the pod's own annotation counts;
/// this one is for engines that read images.
pub const VARIANT_ANNOTATION: &str = "module.wasm.image/variant";
/// crun takes only entrypoints that end in .wasm for modules.
/// <https://github.com/containers/crun/blob/main/docs/wasm-wasi-on-kubernetes.md>
pub const VARIANT: &str = "compat-smart";
/// Label with the digest of the module before it was compiled ahead of time.
pub const MODULE_LABEL: &str = "deploy-tool.module";
/// The creation time of every image: a true one would make a new digest each time.
const CREATED: &str = "1970-01-01T00:00:00Z";

/// What an image is made of.
#[derive(Clone, Debug)]
pub struct Contents<'a> {
    /// How it is made.
    pub definition: &'a Definition,
    /// The module, compiled ahead of time.
    pub module: &'a [u8],
    /// The bytes of the definition's files, in its order.
    pub files: Vec<Vec<u8>>,
    /// The SHA-256 of the module before that.
    pub plain_module_digest: String,
    /// The version of WasmEdge that compiled it.
    pub engine: String,
}

/// A packed image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// The name without a tag.
    pub name: String,
    /// The one layer: an uncompressed tar, so that no compressor's version is in the digest.
    pub layer: Vec<u8>,
    /// The configuration, as JSON.
    pub configuration: Vec<u8>,
    /// The manifest, as JSON.
    pub manifest: Vec<u8>,
}

impl Image {
    /// The digest of the manifest: the image's identity.
    pub fn digest(&self) -> String {
        digest::oci(&self.manifest)
    }

    /// The exact reference: a tag made from the digest, because an image that is loaded into a node has no registry
    /// that could be asked for a digest.
    pub fn reference(&self) -> String {
        format!("{}:{}", self.name, self.tag())
    }

    /// The tag of the exact reference.
    pub fn tag(&self) -> String {
        self.digest().replace(':', "-")
    }
}

/// Packs an image.
///
/// # Errors
/// When a path cannot be in a layer.
pub fn pack(contents: &Contents<'_>) -> Result<Image, LayerError> {
    let definition = contents.definition;
    let module = LayerFile {
        path: &definition.module,
        bytes: contents.module,
        mode: 0o555,
    };
    let others = definition.files.iter().zip(&contents.files);
    let others = others.map(|(file, bytes)| LayerFile {
        path: &file.path,
        bytes,
        mode: 0o444,
    });
    let layer = layer(std::iter::once(module).chain(others))?;
    let configuration = json(&configuration(contents, &digest::oci(&layer)));
    let manifest = json(&Manifest {
        schema_version: 2,
        media_type: specification::MANIFEST,
        config: Descriptor::of(specification::CONFIGURATION, &configuration),
        layers: vec![Descriptor::of(specification::LAYER, &layer)],
        annotations: [(VARIANT_ANNOTATION.to_owned(), VARIANT.to_owned())].into(),
    });
    Ok(Image {
        name: definition.name.clone(),
        layer,
        configuration,
        manifest,
    })
}

fn configuration(contents: &Contents<'_>, layer_digest: &str) -> Configuration {
    let definition = contents.definition;
    Configuration {
        created: CREATED,
        architecture: "amd64",
        os: "linux",
        config: Process {
            user: definition.user.clone(),
            entrypoint: vec![definition.module.clone()],
            working_dir: "/",
            labels: [
                (MODULE_LABEL.to_owned(), contents.plain_module_digest.clone()),
                (crate::settings::ENGINE_LABEL.to_owned(), contents.engine.clone()),
                (VARIANT_ANNOTATION.to_owned(), VARIANT.to_owned()),
            ]
            .into(),
            stop_signal: definition.stop_signal.clone(),
        },
        rootfs: RootFilesystem {
            kind: "layers",
            diff_ids: vec![layer_digest.to_owned()],
        },
        history: vec![History {
            created: CREATED,
            created_by: "deploy-tool build",
        }],
    }
}

/// Structures of strings and numbers always become JSON.
fn json(value: &impl serde::Serialize) -> Vec<u8> {
    serde_json::to_vec(value).unwrap_or_default()
}

#[cfg(test)]
mod tests;
