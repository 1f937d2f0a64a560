//! The module to pack into an image: compiled here, or given as a file.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::variation::{Form, Variation};
use crate::cli::SourceArguments;
use diagnostics::{Error, Result};
use host::cache::Cache;
use host::cleanup::Cleanup;
use host::{docker, tool_image};
use oci_artifacts::image::Definition;
use terminal::Printer;
use wasm_build::BUILDER_IMAGE;
use wasm_build::artifact_cache::{self, Artifact, BuildRecord};
use wasm_build::background::worker::Background;
use wasm_build::builder::Builder;
use wasm_build::compile;
use wasm_build::profile::Profile;
use wasm_build::sources::Sources;
use wasm_build::traps::Weight;
use wasm_build::workspace::{Package, Workspace};

/// The module to pack, and its metadata.
pub struct SourcedModule {
    /// The module.
    pub module: Artifact,
    /// The same module compiled ahead of time, and the version of WasmEdge that it is for.
    pub compiled: Option<(Artifact, String)>,
    /// The annotations from the package's Cargo.toml.
    pub annotations: BTreeMap<String, String>,
    /// Nothing is known of a module that was given.
    pub record: Option<BuildRecord>,
}

/// A module that was compiled elsewhere. Needs neither Docker nor a compiler.
///
/// # Errors
/// When it would not run, or there is no workspace with its package.
pub async fn import_module(
    source: &SourceArguments,
    definition: &Definition,
    name: &str,
    path: &Path,
) -> Result<SourcedModule> {
    let module = artifact_cache::import_module(path)?;
    let workspace = compile::workspace(&workspace_folder(source, definition, name)).await?;
    Ok(SourcedModule {
        module,
        compiled: None,
        annotations: annotations(&workspace, definition),
        record: None,
    })
}

/// Compiles what an image is made of, as far as that is not there already.
///
/// # Errors
/// When the sources do not compile, or this host lacks what that takes.
pub async fn compile(
    printer: &Printer,
    cleanup: &Cleanup,
    cache: &Cache,
    source: &SourceArguments,
    definition: &Definition,
    name: &str,
    variation: Variation<'_>,
) -> Result<SourcedModule> {
    // Making the image takes minutes: after everything that can be found out at once, and first of that whether Docker is there.
    docker::image(BUILDER_IMAGE).await?;
    let workspace = compile::workspace(&workspace_folder(source, definition, name)).await?;
    let sources = Sources::read(&workspace, definition)?;
    tool_image::supply(printer, cleanup, cache, BUILDER_IMAGE).await?;
    let builder = Builder::find(cache, cleanup, variation.low_priority).await?;
    let is_compiled = |sources: &str| artifact_cache::is_compiled(&builder, definition, sources, variation.native);
    // A build in the background would find its own job.
    if !variation.low_priority {
        let background = Background::new(cache, source.folder(), &source.images, name)?;
        if let Some(lost) = background.check_lost(&sources.digest, is_compiled)? {
            printer.warning(&format!("{name}: {lost}"));
        }
    }
    let (profile, is_plain) = match variation.form {
        Form::Quick if !is_compiled(&sources.digest)? => (Profile::quick(&definition.profile), true),
        form => (Profile::from_workspace(&definition.profile), form == Form::Plain),
    };
    let is_made = artifact_cache::is_made(&builder, &sources, &profile)?;
    let made = printer
        .step(&format!("Wasm module of {name}"), async |progress| {
            artifact_cache::module(&builder, progress, &sources, &profile).await
        })
        .await;
    let (module, record) = match made {
        Err(failure) => return Err(explain_compile_failure(failure, &sources, cache).await),
        Ok(made) => made,
    };
    // Once for each change, and not at each save: it takes as long as the compiler does there.
    if !is_made && variation.form != Form::Quick {
        warn(printer, &sources, cache).await;
    }
    let compiled = if is_plain {
        None
    } else {
        Some(
            printer
                .step(&format!("module of {name} compiled ahead of time"), async |progress| {
                    artifact_cache::ahead_of_time(&builder, progress, &module.bytes, variation.native).await
                })
                .await?,
        )
    };
    Ok(SourcedModule {
        module,
        annotations: annotations(&workspace, definition),
        record: Some(record),
        compiled: compiled.map(|compiled| (compiled, builder.engine)),
    })
}

/// Limit of the traps that are printed after a compilation.
const MOST_SHOWN: usize = 5;

/// What the compiler refuses, with the traps that explain it.
async fn explain_compile_failure(failure: Error, sources: &Sources<'_>, cache: &Cache) -> Error {
    // The compiler's own words are there: that nothing can be added to them is no failure.
    let Ok(checked) = sources.check(cache).await else {
        return failure;
    };
    let explains = checked
        .findings
        .iter()
        .filter(|finding| finding.weight == Weight::Compile);
    explains.take(MOST_SHOWN).fold(failure, |failure, finding| {
        failure.hint(format!("{finding}; fix: {}", finding.fix))
    })
}

/// Warns about traps in the compiled sources. A failure to look for them is no error.
async fn warn(printer: &Printer, sources: &Sources<'_>, cache: &Cache) {
    let findings = match sources.check(cache).await {
        Ok(checked) => checked.findings,
        Err(failure) => {
            printer.warning(&format!("it is not known whether there are traps in it: {failure}"));
            return;
        }
    };
    for finding in findings.iter().take(MOST_SHOWN) {
        printer.warning(&format!("{finding}; fix: {}", finding.fix));
    }
    let more = findings.len().saturating_sub(MOST_SHOWN);
    if more > 0 {
        printer.warning(&format!("and {more} more: `deploy-tool init` tells all"));
    }
}

/// Compiles the native build of what an image is made of.
///
/// # Errors
/// When the sources do not compile, or this host lacks what that takes.
pub async fn native(
    printer: &Printer,
    cleanup: &Cleanup,
    cache: &Cache,
    source: &SourceArguments,
    definition: &Definition,
    name: &str,
) -> Result<Artifact> {
    let workspace = compile::workspace(&workspace_folder(source, definition, name)).await?;
    let sources = Sources::read(&workspace, definition)?;
    tool_image::supply(printer, cleanup, cache, BUILDER_IMAGE).await?;
    let builder = Builder::find(cache, cleanup, false).await?;
    let step = format!("native build of {}", definition.package);
    printer
        .step(&step, async |progress| {
            artifact_cache::native(&builder, progress, &sources).await
        })
        .await
}

/// The workspace of a definition's package; the command line takes precedence.
pub fn workspace_folder(source: &SourceArguments, definition: &Definition, name: &str) -> PathBuf {
    match (&source.workspace, &definition.workspace) {
        (None, Some(workspace)) => source.images.join(name).join(workspace),
        _ => source.folder().to_owned(),
    }
}

fn annotations(workspace: &Workspace, definition: &Definition) -> BTreeMap<String, String> {
    workspace
        .package(&definition.package)
        .map(Package::annotations)
        .unwrap_or_default()
}
