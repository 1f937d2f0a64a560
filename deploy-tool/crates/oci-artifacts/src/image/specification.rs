//! The OCI structures that are written here and read back. Field order is the order of the bytes, so it is part of the
//! digest.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::Digest;

/// An image of one platform.
pub const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
/// Images of several platforms.
pub const INDEX: &str = "application/vnd.oci.image.index.v1+json";
/// How an image is run.
pub const CONFIGURATION: &str = "application/vnd.oci.image.config.v1+json";
/// Files of an image.
pub const LAYER: &str = "application/vnd.oci.image.layer.v1.tar+gzip";
/// The configuration of a manifest that is no image.
/// <https://github.com/opencontainers/image-spec/blob/main/manifest.md#guidance-for-an-empty-descriptor>
pub const EMPTY: &str = "application/vnd.oci.empty.v1+json";
/// What Docker wrote before there was OCI, and writes still: the same structures.
pub const DOCKER_MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
/// The same of an index.
pub const DOCKER_INDEX: &str = "application/vnd.docker.distribution.manifest.list.v2+json";

/// What buildx puts into an index beside the images.
/// <https://github.com/moby/buildkit/blob/master/docs/attestations/attestation-storage.md>
pub const ATTACHED_ANNOTATION: &str = "vnd.docker.reference.type";

/// The media type in a manifest or index; none in old ones.
pub fn media_type(bytes: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Document {
        media_type: Option<String>,
    }
    serde_json::from_slice::<Document>(bytes).ok()?.media_type
}

/// A reference to a blob. <https://github.com/opencontainers/image-spec/blob/main/descriptor.md>
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Descriptor {
    /// What the blob is.
    pub media_type: String,
    /// The artifact type of a manifest that is no image.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact_type: Option<String>,
    /// That of its bytes.
    pub digest: Digest,
    /// Its bytes.
    pub size: u64,
    /// Of an image in an index: where it runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform: Option<Platform>,
    /// Whatever else is said of it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
}

/// Where an image runs, in the words of Go.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Platform {
    /// Such as amd64.
    pub architecture: String,
    /// Such as linux.
    pub os: String,
    /// Of the architecture, such as v8.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variant: Option<String>,
}

impl std::fmt::Display for Platform {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.os, self.architecture)?;
        self.variant.iter().try_for_each(|variant| write!(f, "/{variant}"))
    }
}

/// One image of one platform, or an artifact. <https://github.com/opencontainers/image-spec/blob/main/manifest.md>
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Manifest {
    /// Always 2.
    pub schema_version: u8,
    /// [`MANIFEST`], or nothing in old images.
    #[serde(default)]
    pub media_type: String,
    /// The artifact type, if it is no image.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact_type: Option<String>,
    /// The configuration.
    pub config: Descriptor,
    /// The layers, the lowest first; of an artifact its contents.
    pub layers: Vec<Descriptor>,
    /// The manifest that this one is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<Descriptor>,
    /// What is said of it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
}

/// The images of several platforms. <https://github.com/opencontainers/image-spec/blob/main/image-index.md>
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Index {
    /// Always 2.
    pub schema_version: u8,
    /// [`INDEX`], or nothing.
    #[serde(default)]
    pub media_type: String,
    /// The images.
    pub manifests: Vec<Descriptor>,
    /// What is said of them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
}
