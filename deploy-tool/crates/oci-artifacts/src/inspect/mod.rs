//! Pure: what an image, or a module alone, is, and which known traps it has fallen into.

mod attached;
mod configuration;
mod subject;
mod warning;

pub use attached::Attached;
pub use configuration::Configuration;
pub use subject::{OnDisk, Subject, subject};
pub use warning::Warning;

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::digest;
use crate::image::contents::Contents;
use crate::image::layout::is_index;
use crate::image::specification::{ATTACHED_ANNOTATION, Descriptor, Index, Manifest, Platform};
use crate::image::{Blob, ENGINE_LABEL, Layout, VARIANT_ANNOTATION};
use crate::wasm::facts::{self, NativeCode};
use crate::wasm::inspect;

const SCHEMA: &str = "deploy-tool.dev/inspect/v1";
/// The file without which no host name is found.
pub const SERVICES: &str = "/etc/services";
/// What `inspect` says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// The version of this form.
    pub schema: &'static str,
    /// The name that an image gives itself.
    pub name: Option<String>,
    /// The digest of the image, or of the module.
    pub digest: String,
    /// What the image, or its index, says of itself.
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
    pub digest: String,
    /// What is started.
    pub entrypoint: Vec<String>,
    /// As whom.
    pub user: String,
    /// The value of the annotation `module.wasm.image/variant`.
    pub variant: Option<String>,
    /// The version of WasmEdge that compiled it ahead of time, as its label says.
    pub engine: Option<String>,
    /// The layers, the lowest first.
    pub layers: Vec<LayerReport>,
    /// The digest of the module that is started.
    pub module: Option<String>,
    /// Whether it has `/etc/services`.
    pub has_services: bool,
    /// The modules in it, by path.
    pub module_paths: BTreeSet<String>,
    /// Why a layer could not be looked into.
    pub not_seen: Option<String>,
    #[serde(skip)]
    architecture: String,
}

/// A layer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LayerReport {
    /// How it is packed.
    pub media_type: String,
    /// Its digest.
    pub digest: String,
    /// Its bytes as they are pulled.
    pub size_bytes: u64,
}

/// A module.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ModuleReport {
    /// Its digest.
    pub digest: String,
    /// Its bytes.
    pub size_bytes: usize,
    /// What it imports.
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

/// What was seen of the image of a platform.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// Its configuration.
    pub configuration: Configuration,
    /// What was found in its layers.
    pub contents: Contents,
    /// Why a layer could not be looked into.
    pub not_seen: Option<String>,
}

/// The images of a layout: each platform, where its index names one, and its manifest.
pub fn images(layout: &Layout) -> Vec<(Option<Platform>, &Blob)> {
    if !is_index(&layout.root.media_type) {
        return vec![(None, &layout.root)];
    }
    let entries = Index::of(&layout.root).manifests.into_iter();
    let images = entries.filter(|entry| !entry.annotations.contains_key(ATTACHED_ANNOTATION));
    images
        .filter_map(|entry| {
            let manifest = layout.manifests.iter().find(|blob| blob.digest == entry.digest)?;
            Some((entry.platform, manifest))
        })
        .collect()
}

/// Says what an image is. For each of its [images] something was seen.
pub fn image(layout: &Layout, seen: &[Seen]) -> Report {
    let (mut platforms, mut modules) = (Vec::new(), Vec::<ModuleReport>::new());
    for ((platform, manifest), seen) in images(layout).into_iter().zip(seen) {
        let entrypoint = seen.configuration.entrypoint();
        let started = entrypoint.first().and_then(|path| seen.contents.files.get(path));
        let module = started
            .filter(|_| entrypoint[0].ends_with(".wasm"))
            .map(|bytes| module_report(bytes));
        platforms.push(platform_report(platform, manifest, seen, entrypoint, module.as_ref()));
        modules.extend(module.filter(|new| modules.iter().all(|known| known.digest != new.digest)));
    }
    let mut report = Report {
        schema: SCHEMA,
        name: layout.name.clone(),
        digest: layout.digest().to_owned(),
        annotations: match is_index(&layout.root.media_type) {
            true => Index::of(&layout.root).annotations,
            false => Manifest::of(&layout.root).annotations,
        },
        platforms,
        modules,
        attached: attached::attached(layout),
        warnings: Vec::new(),
    };
    report.warnings = warning::of_image(&report);
    report
}

/// Says what a module is.
pub fn module(bytes: &[u8]) -> Report {
    let module = module_report(bytes);
    let mut report = Report {
        schema: SCHEMA,
        name: None,
        digest: module.digest.clone(),
        annotations: BTreeMap::new(),
        platforms: Vec::new(),
        modules: vec![module],
        attached: Vec::new(),
        warnings: Vec::new(),
    };
    report.warnings = warning::of_modules(&report);
    report
}

fn platform_report(
    platform: Option<Platform>,
    blob: &Blob,
    seen: &Seen,
    entrypoint: Vec<String>,
    module: Option<&ModuleReport>,
) -> PlatformReport {
    let Manifest {
        layers, annotations, ..
    } = Manifest::of(blob);
    let platform = platform.unwrap_or_else(|| seen.configuration.platform());
    PlatformReport {
        platform: platform.to_string(),
        digest: blob.digest.clone(),
        entrypoint,
        user: seen.configuration.user().to_owned(),
        variant: annotations.get(VARIANT_ANNOTATION).cloned(),
        engine: seen.configuration.label(ENGINE_LABEL).map(str::to_owned),
        layers: layers
            .into_iter()
            .map(
                |Descriptor {
                     media_type,
                     digest,
                     size,
                     ..
                 }| LayerReport {
                    media_type,
                    digest,
                    size_bytes: size,
                },
            )
            .collect(),
        module: module.map(|module| module.digest.clone()),
        has_services: seen.contents.files.contains_key(SERVICES),
        module_paths: seen.contents.modules.clone(),
        not_seen: seen.not_seen.clone(),
        architecture: platform.architecture,
    }
}

fn module_report(bytes: &[u8]) -> ModuleReport {
    let facts = facts::read(bytes);
    let problem = match &facts {
        Ok(facts) => inspect::judge(facts).err().map(|error| error.to_string()),
        Err(error) => Some(inspect::ModuleError::Invalid(error.to_string()).to_string()),
    };
    let facts = facts.unwrap_or_default();
    let imports = inspect::imports(&facts).into_iter();
    ModuleReport {
        digest: digest::oci(bytes),
        size_bytes: bytes.len(),
        imports: imports
            .map(|((offer, namespace), functions)| ImportReport {
                namespace,
                offered_by: offer.to_string(),
                functions,
            })
            .collect(),
        native_code: facts.native,
        problem,
    }
}
