//! The documents of a layout: manifests and indexes with their descriptors, and their errors.

use serde::Deserialize;

use super::super::blob::Blob;
use super::super::specification::{DOCKER_INDEX, DOCKER_MANIFEST, Descriptor, INDEX, Index, MANIFEST, Manifest};
use crate::Digest;

/// Manifests, indexes and configurations are read into memory. Registries have to take manifests of 4 MiB.
/// <https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pushing-manifests>
pub const MOST_BYTES: u64 = 4 << 20;
/// More manifests than any image has: what has more is made to keep its reader busy.
pub(super) const MOST_MANIFESTS: usize = 200;

/// A layout that is refused.
#[derive(Debug, thiserror::Error)]
pub enum LayoutError {
    /// A file is missing.
    #[error("it has no `{0}`")]
    Missing(String),
    /// An index names more than there is.
    #[error("the image for {0} is only named, and not there")]
    Absent(String),
    /// A file cannot be read.
    #[error("`{0}` cannot be read: {1}")]
    Unreadable(String, #[source] std::io::Error),
    /// A document that is read as a whole is too large to be one.
    #[error("`{0}` has {1} bytes, and the largest allowed is {MOST_BYTES}")]
    Large(String, u64),
    /// A document is malformed.
    #[error("`{0}` is not a valid {1}: {2}")]
    Malformed(String, &'static str, String),
    /// A digest of another algorithm.
    #[error("`{0}` is not a SHA-256 digest")]
    Digest(Digest),
    /// The bytes are not those of the digest.
    #[error("the blob `{0}` has other bytes: {1}")]
    Damaged(Digest, String),
    /// Neither manifest nor index.
    #[error("`{0}` has the media type `{1}`, which is neither an image nor an index")]
    MediaType(Digest, String),
    /// Not one image.
    #[error("it has {0} images, and one is expected")]
    Images(usize),
    /// An index that names an index.
    #[error("the index names the index `{0}`")]
    Nested(Digest),
    /// Too many.
    #[error("it names more than {MOST_MANIFESTS} manifests")]
    Many,
    /// A document cannot be written.
    #[error("it cannot be written as JSON: {0}")]
    Unwritable(#[from] serde_json::Error),
}

impl Manifest {
    /// The manifest in a blob.
    ///
    /// # Errors
    /// When there is none.
    pub fn from_blob(blob: &Blob) -> Result<Self, LayoutError> {
        parse(blob.digest.as_str(), blob.bytes())
    }
}

impl Index {
    /// The index in a blob.
    ///
    /// # Errors
    /// When there is none.
    pub fn from_blob(blob: &Blob) -> Result<Self, LayoutError> {
        parse(blob.digest.as_str(), blob.bytes())
    }
}

/// The path of a blob in a layout. Only digests make paths, so that none leads elsewhere.
///
/// # Errors
/// When it is another digest than SHA-256, by which no content can be verified.
pub fn path(digest: &Digest) -> Result<String, LayoutError> {
    if digest.is_sha256() {
        Ok(format!("blobs/sha256/{}", digest.hex()))
    } else {
        Err(LayoutError::Digest(digest.clone()))
    }
}

/// The manifests that an index names.
///
/// # Errors
/// When it is no index, or names something else than images.
pub fn images(index: &Blob) -> Result<Vec<Descriptor>, LayoutError> {
    let Index { manifests, .. } = Index::from_blob(index)?;
    if manifests.len() > MOST_MANIFESTS {
        return Err(LayoutError::Many);
    }
    for Descriptor { media_type, digest, .. } in &manifests {
        if is_index(media_type) {
            return Err(LayoutError::Nested(digest.clone()));
        }
        kind(digest, media_type)?;
    }
    Ok(manifests)
}

/// The configuration of a manifest, and its layers.
///
/// # Errors
/// When it is no manifest.
pub fn parts(manifest: &Blob) -> Result<(Descriptor, Vec<Descriptor>), LayoutError> {
    kind(&manifest.digest, &manifest.media_type)?;
    let Manifest { config, layers, .. } = Manifest::from_blob(manifest)?;
    Ok((config, layers))
}

/// Nothing that is neither an image nor an index is read any further.
pub(super) fn kind(digest: &Digest, media_type: &str) -> Result<(), LayoutError> {
    if is_index(media_type) || is_manifest(media_type) {
        Ok(())
    } else {
        Err(LayoutError::MediaType(digest.clone(), media_type.to_owned()))
    }
}

/// Whether a media type is one of an index.
pub fn is_index(media_type: &str) -> bool {
    [INDEX, DOCKER_INDEX].contains(&media_type)
}

pub(super) fn is_manifest(media_type: &str) -> bool {
    [MANIFEST, DOCKER_MANIFEST].contains(&media_type)
}

pub(super) fn parse<T: for<'a> Deserialize<'a>>(name: &str, bytes: &[u8]) -> Result<T, LayoutError> {
    let kind = std::any::type_name::<T>().rsplit("::").next().unwrap_or_default();
    serde_json::from_slice(bytes).map_err(|error| LayoutError::Malformed(name.to_owned(), kind, error.to_string()))
}
