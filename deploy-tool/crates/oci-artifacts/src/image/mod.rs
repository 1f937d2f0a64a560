//! Pure but for [`store`]: from a module and a definition to an OCI image, and back. The same inputs give the same bytes,
//! and so the same digest.
//!
//! An image is an index of two platforms. Nodes of x86-64 get the module with code compiled ahead of time; all others the
//! module alone. Never `wasi/wasm`: a node pulls by its own platform, and would find nothing.
//! <https://github.com/opencontainers/image-spec/blob/main/image-index.md>

pub mod artifact;
mod blob;
mod configuration;
pub mod contents;
mod definition;
mod layer;
pub mod layout;
pub mod specification;
pub mod store;

pub use blob::{Blob, BlobSource};
pub use definition::{Definition, DefinitionError, ExtraFile};
pub use layer::{LayerError, LayerFile, compress, layer};
pub use layout::{Layout, LayoutError};

use std::collections::BTreeMap;

use configuration::configuration;
use specification::{Descriptor, Index, Manifest, Platform};

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
const COMPILED_ARCHITECTURE: &str = "amd64";
/// Others that nodes have. The module is the same for all, and the engine interprets it.
const OTHER_ARCHITECTURE: &str = "arm64";

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
    architecture: &'static str,
    engine: Option<&'a str>,
    /// The layer as a tar file.
    pub tar: Vec<u8>,
}

/// Lays the files of each platform's image out.
///
/// # Errors
/// When a path cannot be in a layer.
pub fn variants<'a>(contents: &Contents<'a>) -> Result<Vec<Variant<'a>>, LayerError> {
    let compiled = contents.compiled.map_or(contents.module, |compiled| compiled.bytes);
    let engine = contents.compiled.map(|compiled| compiled.engine);
    let platforms = [
        (COMPILED_ARCHITECTURE, compiled, engine),
        (OTHER_ARCHITECTURE, contents.module, None),
    ];
    let variants = platforms.into_iter().map(|(architecture, module, engine)| {
        let module = LayerFile {
            path: &contents.definition.module,
            bytes: module,
            mode: 0o555,
        };
        let others = contents.definition.files.iter().zip(&contents.files);
        let others = others.map(|(file, bytes)| LayerFile {
            path: &file.path,
            bytes,
            mode: 0o444,
        });
        Ok(Variant {
            architecture,
            engine,
            tar: layer(std::iter::once(module).chain(others))?,
        })
    });
    variants.collect()
}

/// Makes the image of its variants, each with its tar file [compressed](compress).
pub fn pack(contents: &Contents<'_>, variants: Vec<(Variant<'_>, Vec<u8>)>) -> Layout {
    let mut blobs: Vec<Blob> = Vec::new();
    let mut manifests = Vec::new();
    let mut index = Index {
        schema_version: 2,
        media_type: specification::INDEX.to_owned(),
        annotations: contents.annotations.clone(),
        ..Index::default()
    };
    index.annotations.extend(contents.index_annotations.clone());
    for (variant, compressed) in variants {
        let configuration = json(&configuration(contents, &variant));
        let configuration = Blob::of(specification::CONFIGURATION, configuration);
        let layer = Blob::of(specification::LAYER, compressed);
        let mut annotations = contents.annotations.clone();
        annotations.insert(VARIANT_ANNOTATION.to_owned(), VARIANT.to_owned());
        let manifest = Manifest {
            schema_version: 2,
            media_type: specification::MANIFEST.to_owned(),
            config: configuration.descriptor(),
            layers: vec![layer.descriptor()],
            annotations,
            ..Manifest::default()
        };
        let manifest = Blob::of(specification::MANIFEST, json(&manifest));
        index.manifests.push(Descriptor {
            platform: Some(Platform {
                architecture: variant.architecture.to_owned(),
                os: "linux".to_owned(),
                variant: None,
            }),
            ..manifest.descriptor()
        });
        manifests.push(manifest);
        // Without native code, the layers of both platforms are one.
        let new = |blob: &Blob| blobs.iter().all(|known| known.digest != blob.digest);
        let new: Vec<Blob> = [configuration, layer].into_iter().filter(new).collect();
        blobs.extend(new);
    }
    let root = Blob::of(specification::INDEX, json(&index));
    Layout {
        name: Some(format!("{}:{}", contents.definition.name, tag(&root.digest))),
        root,
        manifests,
        blobs,
        referrers: Vec::new(),
    }
}

/// Attaches a document to an image: a manifest of its own, which names the image as its subject. The image's digest stays.
/// <https://github.com/opencontainers/image-spec/blob/main/manifest.md#guidelines-for-artifact-usage>
pub fn attach(layout: &mut Layout, media_type: &str, bytes: Vec<u8>) {
    let (empty, document) = (
        Blob::of(specification::EMPTY, b"{}".to_vec()),
        Blob::of(media_type, bytes),
    );
    let manifest = Manifest {
        schema_version: 2,
        media_type: specification::MANIFEST.to_owned(),
        artifact_type: Some(media_type.to_owned()),
        config: empty.descriptor(),
        layers: vec![document.descriptor()],
        subject: Some(layout.root.descriptor()),
        annotations: BTreeMap::new(),
    };
    layout
        .referrers
        .push(Blob::of(specification::MANIFEST, json(&manifest)));
    let new = |blob: &Blob| layout.blob(&blob.digest).is_none();
    let new: Vec<Blob> = [empty, document].into_iter().filter(new).collect();
    layout.blobs.extend(new);
}

/// A tag made from a digest: an image that is loaded into a node has no registry that could be asked for the digest.
pub fn tag(digest: &str) -> String {
    digest.replace(':', "-")
}

/// Structures of strings and numbers always become JSON.
pub fn json(value: &impl serde::Serialize) -> Vec<u8> {
    serde_json::to_vec(value).unwrap_or_default()
}

#[cfg(test)]
mod tests;
