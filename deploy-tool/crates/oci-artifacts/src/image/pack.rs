//! Pure: packs an image.

use std::collections::BTreeMap;

use super::blob::Blob;
use super::configuration::configuration;
use super::layer::{LayerError, LayerFile, layer};
use super::layout::Layout;
use super::specification::{self, Descriptor, Index, Manifest, Platform};
use super::variant::{COMPILED_ARCHITECTURE, Contents, OTHER_ARCHITECTURE, VARIANT, VARIANT_ANNOTATION, Variant};

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

/// Makes the image of its variants, each with its tar file compressed.
///
/// # Errors
/// When a document cannot be written as JSON.
pub fn pack(contents: &Contents<'_>, variants: Vec<(Variant<'_>, Vec<u8>)>) -> serde_json::Result<Layout> {
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
        let configuration = serde_json::to_vec(&configuration(contents, &variant))?;
        let configuration = Blob::from_bytes(specification::CONFIGURATION, configuration);
        let layer = Blob::from_bytes(specification::LAYER, compressed);
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
        let manifest = Blob::from_bytes(specification::MANIFEST, serde_json::to_vec(&manifest)?);
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
    let root = Blob::from_bytes(specification::INDEX, serde_json::to_vec(&index)?);
    Ok(Layout {
        name: Some(format!("{}:{}", contents.definition.name, root.digest.to_tag())),
        root,
        manifests,
        absent: Vec::new(),
        blobs,
        referrers: Vec::new(),
    })
}

/// Attaches a document to an image: a manifest of its own, which names the image as its subject. The image's digest stays.
/// <https://github.com/opencontainers/image-spec/blob/main/manifest.md#guidelines-for-artifact-usage>
///
/// # Errors
/// When its manifest cannot be written as JSON.
pub fn attach(layout: &mut Layout, media_type: &str, bytes: Vec<u8>) -> serde_json::Result<()> {
    let (empty, document) = (
        Blob::from_bytes(specification::EMPTY, b"{}".to_vec()),
        Blob::from_bytes(media_type, bytes),
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
    let manifest = serde_json::to_vec(&manifest)?;
    layout
        .referrers
        .push(Blob::from_bytes(specification::MANIFEST, manifest));
    let new = |blob: &Blob| layout.blob(&blob.digest).is_none();
    let new: Vec<Blob> = [empty, document].into_iter().filter(new).collect();
    layout.blobs.extend(new);
    Ok(())
}
