//! Finds the image of an argument: a file, a folder, an image that was built here, or one in a registry.

use std::io::Read;
use std::path::Path;

use crate::cli::RegistryArguments;
use crate::publish;
use diagnostics::code;
use diagnostics::{Error, Result};
use host::cache::Cache;
use oci_artifacts::Digest;
use oci_artifacts::image::specification::Descriptor;
use oci_artifacts::image::{Blob, Layout, layout, store};
use oci_artifacts::inspect::{self, Configuration, LocalFile, Subject};
use oci_artifacts::registry::{Connection, PullError, Purpose, Reference, pull};

/// The first bytes of a WebAssembly module.
const MAGIC: &[u8] = b"\0asm";

/// Classifies the argument. `verb` is the action in the error message.
///
/// # Errors
/// When it cannot be an image or a module.
pub fn subject(source: &str, verb: &str) -> Result<Subject> {
    let local_file = local_file(Path::new(source)).map_err(|error| unreadable(source, &error))?;
    let built = publish::layout(&Cache::open()?, source);
    inspect::subject(source, local_file, built).map_err(|why| {
        Error::input(format!("`{source}` cannot be {verb}"))
            .cause(why)
            .hint("name a module, the folder or the archive of an OCI layout, or what `deploy-tool build` prints")
            .hint("or an image in a registry: docker.io/you/orders:1.2.3")
    })
}

/// An image in a registry. Its layers are in a folder, unless they have together more bytes than allowed; of an index only the
/// wanted images come.
///
/// # Errors
/// When it is not there, damaged, or the registry does not give it.
pub async fn fetch(
    source: &str,
    reference: &Reference,
    registry: &RegistryArguments,
    folder: &Path,
    most_layer_bytes: u64,
    is_wanted: impl Fn(&Descriptor) -> bool,
    warn: impl Fn(&str),
) -> Result<Layout> {
    let Reference { repository, name } = reference;
    let found = registry.credentials().login(repository, &Purpose::Read).await?;
    let connection = Connection::open(repository, Purpose::Read, found, &registry.tls_options()).await?;
    let layout = pull(&connection, name, folder, most_layer_bytes, is_wanted).await;
    let layout = layout.map_err(|error| match error {
        PullError::Registry(problem) => connection.explain(&problem),
        PullError::Image(error) => no_image(source, error),
    })?;
    let mut layout = layout.ok_or_else(|| reference.missing())?;
    layout.name = Some(source.to_owned());
    connection.warnings().iter().for_each(|text| warn(text));
    Ok(layout)
}

fn local_file(path: &Path) -> std::io::Result<LocalFile> {
    if !path.is_file() {
        return Ok(if path.exists() {
            LocalFile::Other
        } else {
            LocalFile::Nothing
        });
    }
    let mut start = Vec::new();
    let file = std::fs::File::open(path)?;
    file.take(MAGIC.len() as u64).read_to_end(&mut start)?;
    Ok(if start == MAGIC {
        LocalFile::Module
    } else {
        LocalFile::Other
    })
}

/// How the image of a manifest is run.
///
/// # Errors
/// When that cannot be read.
pub fn configuration(layout: &Layout, digest: &Digest) -> Result<Configuration> {
    let Some(blob) = layout.blob(digest) else {
        return Ok(Configuration::default());
    };
    let bytes = document(blob).map_err(|error| unreadable(digest.as_str(), &error))?;
    serde_json::from_slice(&bytes)
        .map_err(|error| Error::input(format!("the configuration `{digest}` cannot be read")).cause(error))
}

fn document(blob: &Blob) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    store::open(blob)?.take(layout::MOST_BYTES).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Something else than an image.
pub fn no_image(source: &str, why: impl std::fmt::Display) -> Error {
    Error::input(format!("`{source}` is not an image"))
        .code(&code::image::MALFORMED)
        .cause(why)
}

/// A file that cannot be read.
pub fn unreadable(source: &str, error: &std::io::Error) -> Error {
    Error::input(format!("cannot read `{source}`")).cause(error)
}
