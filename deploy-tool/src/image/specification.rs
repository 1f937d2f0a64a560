//! The OCI structures that are written here. Field order is the order of the bytes, so it is part of the digest.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::digest;

pub const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
pub const CONFIGURATION: &str = "application/vnd.oci.image.config.v1+json";
pub const LAYER: &str = "application/vnd.oci.image.layer.v1.tar";
pub const INDEX: &str = "application/vnd.oci.image.index.v1+json";

/// <https://github.com/opencontainers/image-spec/blob/main/descriptor.md>
#[derive(Debug, Serialize)]
pub struct Descriptor {
    #[serde(rename = "mediaType")]
    pub media_type: &'static str,
    pub digest: String,
    pub size: usize,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
}

impl Descriptor {
    pub fn of(media_type: &'static str, bytes: &[u8]) -> Self {
        Self {
            media_type,
            digest: digest::oci(bytes),
            size: bytes.len(),
            annotations: BTreeMap::new(),
        }
    }
}

/// <https://github.com/opencontainers/image-spec/blob/main/manifest.md>
#[derive(Debug, Serialize)]
pub struct Manifest {
    #[serde(rename = "schemaVersion")]
    pub schema_version: u8,
    #[serde(rename = "mediaType")]
    pub media_type: &'static str,
    pub config: Descriptor,
    pub layers: Vec<Descriptor>,
    pub annotations: BTreeMap<String, String>,
}

/// <https://github.com/opencontainers/image-spec/blob/main/image-index.md>
#[derive(Debug, Serialize)]
pub struct Index {
    #[serde(rename = "schemaVersion")]
    pub schema_version: u8,
    #[serde(rename = "mediaType")]
    pub media_type: &'static str,
    pub manifests: Vec<Descriptor>,
}

/// <https://github.com/opencontainers/image-spec/blob/main/config.md>
#[derive(Debug, Serialize)]
pub struct Configuration {
    pub created: &'static str,
    pub architecture: &'static str,
    pub os: &'static str,
    pub config: Process,
    pub rootfs: RootFilesystem,
    pub history: Vec<History>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Process {
    pub user: String,
    pub entrypoint: Vec<String>,
    pub working_dir: &'static str,
    pub labels: BTreeMap<String, String>,
    pub stop_signal: String,
}

#[derive(Debug, Serialize)]
pub struct RootFilesystem {
    #[serde(rename = "type")]
    pub kind: &'static str,
    pub diff_ids: Vec<String>,
}

#[derive(Debug, Serialize)]
pub struct History {
    pub created: &'static str,
    pub created_by: &'static str,
}
