//! `deploy-tool inspect`: what an image or a module is, wherever it is, and which known traps it has fallen into.

use std::io::Read;

use super::image_source::{configuration, fetch, no_image, subject, unreadable};
use super::module_traps;
use crate::cli::{InspectArguments, RegistryArguments};
use diagnostics::Result;
use host::cache::Cache;
use oci_artifacts::bom;
use oci_artifacts::image::{Layout, LayoutError, artifact, layer_listing, specification, store};
use oci_artifacts::inspect::{self, PlatformContents, Report, SERVICES, Subject};
use terminal::Printer;

/// Limit of the layers to download: a Wasm service has a few megabytes, and larger images are shown without contents.
const MOST_LAYER_BYTES: u64 = 256 << 20;
/// A thousand crates have less.
const MOST_BILL_BYTES: u64 = 16 << 20;

/// Runs the command.
///
/// # Errors
/// When there is no such image or module, or it is damaged.
pub async fn run(printer: &Printer, arguments: InspectArguments) -> Result<()> {
    let report = report(&arguments.what, &arguments.registry, |text| printer.warning(text)).await?;
    printer.result(&report, crate::report::image_text(&report));
    Ok(())
}

/// The report about a file, a folder or a reference. `warn` is called with problems that are no errors.
///
/// # Errors
/// When it is none of these, or damaged.
pub async fn report(source: &str, registry: &RegistryArguments, warn: impl Fn(&str)) -> Result<Report> {
    match subject(source, "inspected")? {
        Subject::Module => {
            let bytes = std::fs::read(source).map_err(|error| unreadable(source, &error))?;
            let mut report = inspect::module(&bytes);
            report
                .warnings
                .extend(module_traps::module_warnings([bytes.as_slice()]));
            Ok(report)
        }
        Subject::Layout(path) => image(source, &store::read_partial(&path)?),
        Subject::Remote(reference) => {
            // Its layers are here only as long as they are looked into.
            let scratch = Cache::open()?.scratch("inspect")?;
            let layout = fetch(
                source,
                &reference,
                registry,
                &scratch.path,
                MOST_LAYER_BYTES,
                |_| true,
                warn,
            )
            .await?;
            image(source, &layout)
        }
    }
}

fn image(source: &str, layout: &Layout) -> Result<Report> {
    let (mut platforms, mut left) = (Vec::new(), layer_listing::MOST_BYTES);
    let damaged = |error: LayoutError| no_image(source, error);
    for (_, manifest) in inspect::images(layout).map_err(damaged)? {
        let specification = specification::Manifest::from_blob(manifest).map_err(damaged)?;
        if let Some(artifact_type) = artifact::artifact(&specification) {
            return Err(no_image(source, format!("it is {artifact_type}")));
        }
        platforms.push(inspect_image(layout, &specification, &mut left)?);
    }
    let mut report = inspect::image(layout, &platforms).map_err(damaged)?;
    let bills = bills(layout)?;
    report.warnings.extend(if bills.is_empty() {
        module_traps::module_warnings(platforms.iter().filter_map(|platform| {
            let entrypoint = platform.configuration.entrypoint();
            platform.contents.files.get(entrypoint.first()?).map(Vec::as_slice)
        }))
    } else {
        module_traps::bom_warnings(&bills)
    });
    Ok(report)
}

/// The bills of materials that are attached to an image and are here.
fn bills(layout: &Layout) -> Result<Vec<Vec<u8>>> {
    let mut bills = Vec::new();
    for manifest in &layout.referrers {
        // What others have attached and cannot be read is no bill.
        let Ok(specification) = specification::Manifest::from_blob(manifest) else {
            continue;
        };
        let layers = specification
            .layers
            .iter()
            .filter(|layer| layer.media_type == bom::MEDIA_TYPE);
        for blob in layers.filter_map(|layer| layout.blob(&layer.digest)) {
            let mut bytes = Vec::new();
            store::open(blob)
                .and_then(|file| file.take(MOST_BILL_BYTES).read_to_end(&mut bytes))
                .map_err(|error| unreadable(blob.digest.as_str(), &error))?;
            bills.push(bytes);
        }
    }
    Ok(bills)
}

/// Reads the configuration, and the layers from the highest to the lowest, within the limit of `left` bytes.
fn inspect_image(layout: &Layout, manifest: &specification::Manifest, left: &mut u64) -> Result<PlatformContents> {
    let specification::Manifest { config, layers, .. } = manifest;
    let mut platform = PlatformContents {
        configuration: configuration(layout, &config.digest)?,
        ..PlatformContents::default()
    };
    let entrypoint = platform.configuration.entrypoint();
    let mut wanted = vec![SERVICES];
    wanted.extend(entrypoint.first().map(String::as_str));
    for layer in layers.iter().rev() {
        let Some(blob) = layout.blob(&layer.digest) else {
            let why = format!(
                "the layers have more than {} MB together and were not fetched",
                MOST_LAYER_BYTES >> 20
            );
            platform.unread_reason = Some(why);
            break;
        };
        let found = store::open(blob).and_then(|layer| layer_listing::scan(layer, &blob.media_type, &wanted, *left));
        match found {
            Ok(found) => {
                found.files.into_iter().for_each(|(path, bytes)| {
                    *left = left.saturating_sub(bytes.len() as u64);
                    platform.contents.files.entry(path).or_insert(bytes);
                });
                platform.contents.modules.extend(found.modules);
            }
            Err(error) => platform.unread_reason = Some(format!("layer {}: {error}", blob.digest)),
        }
    }
    Ok(platform)
}
