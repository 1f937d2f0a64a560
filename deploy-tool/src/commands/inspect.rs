//! `deploy-tool inspect`: what an image, an archive or a module is, and which known traps it has fallen into.

use std::io::Read;
use std::path::Path;

use crate::cache::Cache;
use crate::cli::InspectArguments;
use crate::failure::{Failure, Outcome};
use crate::image::{Blob, Layout, contents, specification, store};
use crate::inspect::{self, Configuration, Report, SERVICES, Seen};
use crate::printer::Printer;
use crate::publish;

/// The first bytes of a WebAssembly module.
const MAGIC: &[u8] = b"\0asm";

/// Runs the command.
///
/// # Errors
/// When there is no such image or module, or it is damaged.
pub fn run(printer: &Printer, arguments: &InspectArguments) -> Outcome<()> {
    let report = report(&arguments.what)?;
    printer.result(&report, &inspect::text(&report));
    Ok(())
}

/// What is said of a path or a reference.
///
/// # Errors
/// When there is no such image or module, or it is damaged.
pub fn report(what: &str) -> Outcome<Report> {
    let path = Path::new(what);
    if !path.exists() {
        return image(&named(what)?);
    }
    if is_module(path).map_err(|error| unreadable(what, &error))? {
        let bytes = std::fs::read(path).map_err(|error| unreadable(what, &error))?;
        return Ok(inspect::module(&bytes));
    }
    image(&store::read(path)?)
}

/// An image that was built here, by its exact reference.
fn named(reference: &str) -> Outcome<Layout> {
    let layout = publish::layout(&Cache::open()?, reference);
    let layout = layout.ok_or_else(|| {
        Failure::input(format!(
            "there is no file `{reference}`, and no image of that name was built here"
        ))
        .next("name a module, the folder or the archive of an OCI layout, or what `deploy-tool build` prints")
    })?;
    store::read(&layout)
}

fn is_module(path: &Path) -> std::io::Result<bool> {
    if path.is_dir() {
        return Ok(false);
    }
    let mut start = Vec::new();
    let file = std::fs::File::open(path)?;
    file.take(MAGIC.len() as u64).read_to_end(&mut start)?;
    Ok(start == MAGIC)
}

fn image(layout: &Layout) -> Outcome<Report> {
    let images = inspect::images(layout).into_iter();
    let seen = images
        .map(|(_, manifest)| see(layout, manifest))
        .collect::<Outcome<Vec<_>>>()?;
    Ok(inspect::image(layout, &seen))
}

/// Looks at the configuration, and into the layers from the highest to the lowest.
fn see(layout: &Layout, manifest: &Blob) -> Outcome<Seen> {
    let specification::Manifest { config, layers, .. } = specification::Manifest::of(manifest);
    let mut seen = Seen {
        configuration: configuration(layout, &config.digest)?,
        ..Seen::default()
    };
    let entrypoint = seen.configuration.entrypoint();
    let mut wanted = vec![SERVICES];
    wanted.extend(entrypoint.first().map(String::as_str));
    for blob in layers.iter().rev().filter_map(|layer| layout.blob(&layer.digest)) {
        let found = store::open(blob).and_then(|layer| contents::look(layer, &blob.media_type, &wanted));
        match found {
            Ok(found) => {
                found.files.into_iter().for_each(|(path, bytes)| {
                    seen.contents.files.entry(path).or_insert(bytes);
                });
                seen.contents.modules.extend(found.modules);
            }
            Err(error) => seen.not_seen = Some(format!("layer {}: {error}", blob.digest)),
        }
    }
    Ok(seen)
}

fn configuration(layout: &Layout, digest: &str) -> Outcome<Configuration> {
    let Some(blob) = layout.blob(digest) else {
        return Ok(Configuration::default());
    };
    let mut bytes = Vec::new();
    let read = store::open(blob).and_then(|file| file.take(crate::image::layout::MOST_BYTES).read_to_end(&mut bytes));
    read.map_err(|error| unreadable(digest, &error))?;
    serde_json::from_slice(&bytes)
        .map_err(|error| Failure::input(format!("the configuration `{digest}` cannot be read")).because(error))
}

fn unreadable(what: &str, error: &std::io::Error) -> Failure {
    Failure::input(format!("cannot read `{what}`")).because(error)
}
