//! The report about an image and its modules.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::attached::Attached;
use super::configuration::Configuration;
use crate::Digest;
use crate::image::layer_listing::LayerListing;
use crate::wasm::native_code::NativeCode;
use diagnostics::Code;

/// The version of its form.
pub const SCHEMA: &str = "deploy-tool.dev/inspect/v1";
/// The report of `inspect`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// The version of this form.
    pub schema: &'static str,
    /// The name that an image gives itself.
    pub name: Option<String>,
    /// The digest of the image, or of the module.
    pub digest: Digest,
    /// The annotations of the image or its index.
    pub annotations: BTreeMap<String, String>,
    /// The image of each platform; none of a module alone.
    pub platforms: Vec<PlatformReport>,
    /// The modules: each once, however many platforms have it.
    pub modules: Vec<ModuleReport>,
    /// Bills of materials, provenance, signatures.
    pub attached: Vec<Attached>,
    /// The traps.
    pub warnings: Vec<Warning>,
}

/// The image of a platform.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PlatformReport {
    /// Such as linux/amd64.
    pub platform: String,
    /// The digest of its manifest.
    pub digest: Digest,
    /// The entrypoint.
    pub entrypoint: Vec<String>,
    /// As whom.
    pub user: String,
    /// The value of the annotation `module.wasm.image/variant`.
    pub variant: Option<String>,
    /// The version of WasmEdge that compiled it ahead of time, by its label.
    pub engine: Option<String>,
    /// The layers, the lowest first.
    pub layers: Vec<LayerReport>,
    /// The digest of the module that is started.
    pub module: Option<Digest>,
    /// Whether it has `/etc/services`.
    pub has_services: bool,
    /// The modules in it, by path.
    pub module_paths: BTreeSet<String>,
    /// Why a layer could not be looked into.
    pub not_seen: Option<String>,
    /// The architecture alone.
    #[serde(skip)]
    pub architecture: String,
}

/// A layer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LayerReport {
    /// How it is packed.
    pub media_type: String,
    /// Its digest.
    pub digest: Digest,
    /// Its bytes as they are pulled.
    pub size_bytes: u64,
}

/// A module.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ModuleReport {
    /// Its digest.
    pub digest: Digest,
    /// Its bytes.
    pub size_bytes: usize,
    /// Its imports.
    pub imports: Vec<ImportReport>,
    /// The native code in it.
    pub native_code: Option<NativeCode>,
    /// Why it would not run under crun.
    pub problem: Option<String>,
}

/// Functions that a module imports from one namespace and of one provider.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ImportReport {
    /// The namespace.
    pub namespace: String,
    /// Who offers them.
    pub offered_by: String,
    /// Their names.
    pub functions: BTreeSet<String>,
}

/// The parts of an image of one platform that were read.
#[derive(Clone, Debug, Default)]
pub struct PlatformContents {
    /// Its configuration.
    pub configuration: Configuration,
    /// The files in its layers.
    pub contents: LayerListing,
    /// Why a layer could not be looked into.
    pub unread_reason: Option<String>,
}

/// A trap.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Warning {
    /// Its number in the catalogue.
    pub code: String,
    /// What it is here.
    pub text: String,
}

impl Warning {
    /// One of the catalogue.
    pub fn new(code: &Code, text: impl Into<String>) -> Self {
        Self {
            code: code.to_string(),
            text: text.into(),
        }
    }
}
