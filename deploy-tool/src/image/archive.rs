//! An OCI layout in one tar file: what `kind load image-archive`, `ctr images import` and skopeo read.
//!
//! <https://github.com/opencontainers/image-spec/blob/main/image-layout.md>

use super::specification::{Descriptor, INDEX, Index, MANIFEST};
use super::{Image, json, layer};
use crate::digest;

/// Packs an image into an OCI archive. The name that containerd gives it stands in the index, outside of the digest.
///
/// # Errors
/// Never for images that were packed here: blob names are short.
pub fn archive(image: &Image) -> std::io::Result<Vec<u8>> {
    let mut descriptor = Descriptor::of(MANIFEST, &image.manifest);
    // https://github.com/containerd/containerd/blob/main/core/images/annotations.go
    descriptor
        .annotations
        .insert("io.containerd.image.name".into(), image.reference());
    descriptor
        .annotations
        .insert("org.opencontainers.image.ref.name".into(), image.tag());
    let index = json(&Index {
        schema_version: 2,
        media_type: INDEX,
        manifests: vec![descriptor],
    });
    let blob = |bytes: &[u8]| format!("blobs/sha256/{}", digest::hex(bytes));
    let mut files = vec![
        (blob(&image.configuration), image.configuration.as_slice()),
        (blob(&image.layer), image.layer.as_slice()),
        (blob(&image.manifest), image.manifest.as_slice()),
        ("index.json".to_owned(), index.as_slice()),
        ("oci-layout".to_owned(), br#"{"imageLayoutVersion":"1.0.0"}"#.as_slice()),
    ];
    files.sort();
    let mut builder = tar::Builder::new(Vec::new());
    for (path, bytes) in files {
        builder.append(
            &layer::header(&path, tar::EntryType::Regular, 0o444, bytes.len())?,
            bytes,
        )?;
    }
    builder.into_inner()
}
