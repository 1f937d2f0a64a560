//! Looks at an image, or at a module.

use std::collections::BTreeMap;

use super::report::{ImportReport, LayerReport, ModuleReport, PlatformContents, PlatformReport, Report, SCHEMA};
use super::{attached, warning};
use crate::Digest;
use crate::image::layout::{LayoutError, is_index};
use crate::image::specification::{ATTACHED_ANNOTATION, Descriptor, Index, Manifest, Platform};
use crate::image::{Blob, ENGINE_LABEL, Layout, SERVICES, VARIANT_ANNOTATION};
use crate::wasm::facts;
use crate::wasm::inspect;

/// The images of a layout: each platform, where its index names one, and its manifest.
///
/// # Errors
/// When the index cannot be read.
pub fn images(layout: &Layout) -> Result<Vec<(Option<Platform>, &Blob)>, LayoutError> {
    if !is_index(&layout.root.media_type) {
        return Ok(vec![(None, &layout.root)]);
    }
    let entries = Index::from_blob(&layout.root)?.manifests.into_iter();
    let images = entries.filter(|entry| !entry.annotations.contains_key(ATTACHED_ANNOTATION));
    let images = images.filter_map(|entry| {
        let manifest = layout.manifests.iter().find(|blob| blob.digest == entry.digest)?;
        Some((entry.platform, manifest))
    });
    Ok(images.collect())
}

/// The report about an image. `contents` has an item for each of its images.
///
/// # Errors
/// When its index or a manifest cannot be read.
pub fn image(layout: &Layout, contents: &[PlatformContents]) -> Result<Report, LayoutError> {
    let (mut platforms, mut modules) = (Vec::new(), Vec::<ModuleReport>::new());
    for ((platform, manifest), found) in images(layout)?.into_iter().zip(contents) {
        let entrypoint = found.configuration.entrypoint();
        let started = entrypoint.first().and_then(|path| found.contents.files.get(path));
        let module = started
            .filter(|_| entrypoint[0].ends_with(".wasm"))
            .map(|bytes| module_report(bytes));
        platforms.push(platform_report(platform, manifest, found, entrypoint, module.as_ref())?);
        modules.extend(module.filter(|new| modules.iter().all(|known| known.digest != new.digest)));
    }
    let mut report = Report {
        schema: SCHEMA,
        name: layout.name.clone(),
        digest: layout.digest().clone(),
        annotations: if is_index(&layout.root.media_type) {
            Index::from_blob(&layout.root)?.annotations
        } else {
            Manifest::from_blob(&layout.root)?.annotations
        },
        platforms,
        modules,
        attached: attached::attached(layout)?,
        warnings: Vec::new(),
    };
    report.warnings = warning::for_image(&report);
    report.warnings.extend(warning::absent(layout));
    Ok(report)
}

/// The report about a module.
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
    report.warnings = warning::for_modules(&report);
    report
}

fn platform_report(
    platform: Option<Platform>,
    blob: &Blob,
    found: &PlatformContents,
    entrypoint: Vec<String>,
    module: Option<&ModuleReport>,
) -> Result<PlatformReport, LayoutError> {
    let Manifest {
        layers, annotations, ..
    } = Manifest::from_blob(blob)?;
    let platform = platform.unwrap_or_else(|| found.configuration.platform());
    Ok(PlatformReport {
        platform: platform.to_string(),
        digest: blob.digest.clone(),
        entrypoint,
        user: found.configuration.user().to_owned(),
        variant: annotations.get(VARIANT_ANNOTATION).cloned(),
        engine: found.configuration.label(ENGINE_LABEL).map(str::to_owned),
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
        has_services: found.contents.files.contains_key(SERVICES),
        module_paths: found.contents.modules.clone(),
        not_seen: found.unread_reason.clone(),
        architecture: platform.architecture,
    })
}

fn module_report(bytes: &[u8]) -> ModuleReport {
    let facts = facts::read(bytes);
    let problem = match &facts {
        Ok(facts) => inspect::check(facts).err().map(|error| error.to_string()),
        Err(error) => Some(inspect::ModuleError::Invalid(error.to_string()).to_string()),
    };
    let facts = facts.unwrap_or_default();
    let imports = inspect::imports(&facts).into_iter();
    ModuleReport {
        digest: Digest::of(bytes),
        size_bytes: bytes.len(),
        imports: imports
            .map(|((provider, namespace), functions)| ImportReport {
                namespace,
                offered_by: provider.to_string(),
                functions,
            })
            .collect(),
        native_code: facts.native,
        problem,
    }
}
