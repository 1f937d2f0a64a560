//! Content with a digest: what layouts and registries keep.

use std::path::PathBuf;

use super::specification::Descriptor;
use crate::Digest;

/// Content with a digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blob {
    /// Its media type.
    pub media_type: String,
    /// That of its bytes.
    pub digest: Digest,
    /// Its bytes.
    pub size: u64,
    /// Where they are.
    pub source: BlobSource,
}

/// Where a blob's bytes are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BlobSource {
    /// Here.
    Bytes(Vec<u8>),
    /// A range of a file, from the offset, with the size of the blob: the blobs of an archive are in one file.
    File {
        /// The file.
        path: PathBuf,
        /// Where the blob begins.
        offset: u64,
    },
}

impl Blob {
    /// A blob of bytes that are known.
    pub fn from_bytes(media_type: &str, bytes: Vec<u8>) -> Self {
        Self {
            media_type: media_type.to_owned(),
            digest: Digest::of(&bytes),
            size: bytes.len() as u64,
            source: BlobSource::Bytes(bytes),
        }
    }

    /// Its bytes, where they are known: those of manifests and indexes always are.
    pub fn bytes(&self) -> &[u8] {
        match &self.source {
            BlobSource::Bytes(bytes) => bytes,
            BlobSource::File { .. } => &[],
        }
    }

    /// A reference to it.
    pub fn descriptor(&self) -> Descriptor {
        Descriptor {
            media_type: self.media_type.clone(),
            digest: self.digest.clone(),
            size: self.size,
            ..Descriptor::default()
        }
    }
}
