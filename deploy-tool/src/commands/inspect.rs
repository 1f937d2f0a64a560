//! `deploy-tool inspect`: what an image or a module is, wherever it is, and which known traps it has fallen into.

use super::image_source::{configuration, fetch, no_image, subject, unreadable};
use crate::cli::{InspectArguments, RegistryArguments};
use diagnostics::Outcome;
use host::cache::Cache;
use oci_artifacts::image::{Blob, Layout, artifact, layer_listing, specification, store};
use oci_artifacts::inspect::{self, Report, SERVICES, Seen, Subject};
use terminal::Printer;

/// Larger layers are not brought here: a Wasm service has a few megabytes, and nobody waits for gigabytes to read a table.
const MOST_LAYER_BYTES: u64 = 256 << 20;

/// Runs the command.
///
/// # Errors
/// When there is no such image or module, or it is damaged.
pub async fn run(printer: &Printer, arguments: InspectArguments) -> Outcome<()> {
    let report = report(&arguments.what, &arguments.registry, |text| printer.warning(text)).await?;
    printer.result(&report, crate::report::image_text(&report));
    Ok(())
}

/// What is said of a file, a folder or a reference. `warn` gets what was in the way.
///
/// # Errors
/// When it is none of these, or damaged.
pub async fn report(what: &str, registry: &RegistryArguments, warn: impl Fn(&str)) -> Outcome<Report> {
    match subject(what, "inspected")? {
        Subject::Module => {
            let bytes = std::fs::read(what).map_err(|error| unreadable(what, &error))?;
            Ok(inspect::module(&bytes))
        }
        Subject::Layout(path) => image(what, &store::read_partial(&path)?),
        Subject::Remote(reference) => {
            // Its layers are here only as long as they are looked into.
            let scratch = Cache::open()?.scratch("inspect")?;
            let layout = fetch(
                what,
                &reference,
                registry,
                &scratch.path,
                MOST_LAYER_BYTES,
                |_| true,
                warn,
            )
            .await?;
            image(what, &layout)
        }
    }
}

fn image(what: &str, layout: &Layout) -> Outcome<Report> {
    let (mut seen, mut left) = (Vec::new(), layer_listing::MOST_BYTES);
    for (_, manifest) in inspect::images(layout) {
        if let Some(other) = artifact::artifact(&specification::Manifest::of(manifest)) {
            return Err(no_image(what, format!("it is {other}")));
        }
        seen.push(see(layout, manifest, &mut left)?);
    }
    Ok(inspect::image(layout, &seen))
}

/// Looks at the configuration, and into the layers from the highest to the lowest, as far as what is `left` to be read of the
/// image allows.
fn see(layout: &Layout, manifest: &Blob, left: &mut u64) -> Outcome<Seen> {
    let specification::Manifest { config, layers, .. } = specification::Manifest::of(manifest);
    let mut seen = Seen {
        configuration: configuration(layout, &config.digest)?,
        ..Seen::default()
    };
    let entrypoint = seen.configuration.entrypoint();
    let mut wanted = vec![SERVICES];
    wanted.extend(entrypoint.first().map(String::as_str));
    for layer in layers.iter().rev() {
        let Some(blob) = layout.blob(&layer.digest) else {
            let why = format!(
                "the layers have more than {} MB together and were not fetched",
                MOST_LAYER_BYTES >> 20
            );
            seen.not_seen = Some(why);
            break;
        };
        let found = store::open(blob).and_then(|layer| layer_listing::look(layer, &blob.media_type, &wanted, *left));
        match found {
            Ok(found) => {
                found.files.into_iter().for_each(|(path, bytes)| {
                    *left = left.saturating_sub(bytes.len() as u64);
                    seen.contents.files.entry(path).or_insert(bytes);
                });
                seen.contents.modules.extend(found.modules);
            }
            Err(error) => seen.not_seen = Some(format!("layer {}: {error}", blob.digest)),
        }
    }
    Ok(seen)
}
