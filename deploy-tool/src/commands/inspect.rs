//! `deploy-tool inspect`: what an image or a module is, wherever it is, and which known traps it has fallen into.

use std::io::Read;
use std::path::Path;

use crate::cli::{InspectArguments, RegistryArguments};
use crate::publish;
use diagnostics::code;
use diagnostics::{Failure, Outcome};
use host::cache::Cache;
use oci_artifacts::image::{Blob, Layout, artifact, layer_listing, specification, store};
use oci_artifacts::inspect::{self, Configuration, OnDisk, Report, SERVICES, Seen, Subject};
use oci_artifacts::registry::{Connection, PullError, Purpose, Reference, pull};
use terminal::Printer;

/// The first bytes of a WebAssembly module.
const MAGIC: &[u8] = b"\0asm";
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
    let on_disk = on_disk(Path::new(what)).map_err(|error| unreadable(what, &error))?;
    let built = publish::layout(&Cache::open()?, what);
    let subject = inspect::subject(what, on_disk, built).map_err(|why| {
        Failure::input(format!("`{what}` cannot be inspected"))
            .because(why)
            .next("name a module, the folder or the archive of an OCI layout, or what `deploy-tool build` prints")
            .next("or an image in a registry: docker.io/you/orders:1.2.3")
    })?;
    match subject {
        Subject::Module => {
            let bytes = std::fs::read(what).map_err(|error| unreadable(what, &error))?;
            Ok(inspect::module(&bytes))
        }
        Subject::Layout(path) => image(what, &store::read_partial(&path)?),
        Subject::Remote(reference) => remote(what, &reference, registry, warn).await,
    }
}

/// What is said of an image in a registry. Its layers are here only as long as they are looked into.
async fn remote(
    what: &str,
    reference: &Reference,
    registry: &RegistryArguments,
    warn: impl Fn(&str),
) -> Outcome<Report> {
    let Reference { repository, name } = reference;
    let found = registry.credentials().login(repository, &Purpose::Read).await?;
    let connection = Connection::open(repository, Purpose::Read, found, &registry.tls_options()).await?;
    let scratch = Cache::open()?.scratch("inspect")?;
    let layout = pull(&connection, name, &scratch.path, MOST_LAYER_BYTES).await;
    let layout = layout.map_err(|error| match error {
        PullError::Registry(problem) => connection.explain(&problem),
        PullError::Image(error) => no_image(what, error),
    })?;
    let mut layout = layout.ok_or_else(|| reference.missing())?;
    layout.name = Some(what.to_owned());
    connection.warnings().iter().for_each(|text| warn(text));
    image(what, &layout)
}

fn on_disk(path: &Path) -> std::io::Result<OnDisk> {
    if !path.is_file() {
        return Ok(if path.exists() { OnDisk::Other } else { OnDisk::Nothing });
    }
    let mut start = Vec::new();
    let file = std::fs::File::open(path)?;
    file.take(MAGIC.len() as u64).read_to_end(&mut start)?;
    Ok(if start == MAGIC { OnDisk::Module } else { OnDisk::Other })
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

fn no_image(what: &str, why: impl std::fmt::Display) -> Failure {
    Failure::input(format!("`{what}` is no image"))
        .code(&code::image::MALFORMED)
        .because(why)
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

fn configuration(layout: &Layout, digest: &str) -> Outcome<Configuration> {
    let Some(blob) = layout.blob(digest) else {
        return Ok(Configuration::default());
    };
    let mut bytes = Vec::new();
    let read = store::open(blob).and_then(|file| {
        file.take(oci_artifacts::image::layout::MOST_BYTES)
            .read_to_end(&mut bytes)
    });
    read.map_err(|error| unreadable(digest, &error))?;
    serde_json::from_slice(&bytes)
        .map_err(|error| Failure::input(format!("the configuration `{digest}` cannot be read")).because(error))
}

fn unreadable(what: &str, error: &std::io::Error) -> Failure {
    Failure::input(format!("cannot read `{what}`")).because(error)
}
