//! What is packed into an image: a module that is compiled here, or one that is given.

use std::collections::BTreeMap;
use std::path::Path;

use crate::cache::Cache;
use crate::cli::SourceArguments;
use crate::docker::{self, LocalImage};
use crate::failure::{Failure, Outcome};
use crate::image::Definition;
use crate::module::compile;
use crate::module::keep::{self, Kept, Making};
use crate::module::workspace::{Package, Workspace};
use crate::printer::Printer;
use crate::settings::{BUILDER_IMAGE, ENGINE_LABEL, RECIPE_LABEL};

/// What is packed, and what is known of it.
pub struct Parts {
    /// The module.
    pub module: Kept,
    /// The same module compiled ahead of time, and the version of WasmEdge that it is for.
    pub compiled: Option<(Kept, String)>,
    /// What Cargo.toml says of the package.
    pub annotations: BTreeMap<String, String>,
    /// Nothing is known of a module that was given.
    pub making: Option<Making>,
}

/// A module that was made elsewhere. Neither Docker nor a compiler is needed.
///
/// # Errors
/// When it would not run, or there is no workspace that says whose it is.
pub async fn given(source: &SourceArguments, definition: &Definition, path: &Path) -> Outcome<Parts> {
    let module = keep::given(path)?;
    let workspace = compile::workspace(&source.workspace).await?;
    Ok(Parts {
        module,
        compiled: None,
        annotations: annotations(&workspace, definition),
        making: None,
    })
}

/// Compiles what an image is made of, as far as that is not there already.
///
/// # Errors
/// When the sources do not compile, or this host lacks what that takes.
pub async fn compile(
    printer: &Printer,
    cache: &Cache,
    source: &SourceArguments,
    definition: &Definition,
    name: &str,
    plain: bool,
) -> Outcome<Parts> {
    let (builder, engine) = builder().await?;
    let workspace = compile::workspace(&source.workspace).await?;
    let (module, making) = printer
        .step(&format!("Wasm module of {name}"), async |progress| {
            keep::module(cache, progress, &workspace, definition, &builder).await
        })
        .await?;
    let compiled = match plain {
        true => None,
        false => Some(
            printer
                .step(&format!("module of {name} compiled ahead of time"), async |progress| {
                    keep::ahead_of_time(cache, progress, &module.bytes, &builder, &engine).await
                })
                .await?,
        ),
    };
    Ok(Parts {
        module,
        compiled: compiled.map(|compiled| (compiled, engine)),
        annotations: annotations(&workspace, definition),
        making: Some(making),
    })
}

fn annotations(workspace: &Workspace, definition: &Definition) -> BTreeMap<String, String> {
    workspace
        .package(&definition.package)
        .map(Package::annotations)
        .unwrap_or_default()
}

/// The builder's recipe and its version of WasmEdge.
async fn builder() -> Outcome<(String, String)> {
    let image: LocalImage = docker::required_image(BUILDER_IMAGE).await?;
    let engine = image.label(ENGINE_LABEL).ok_or_else(|| {
        Failure::prerequisite(format!(
            "the image `{BUILDER_IMAGE}` does not say which WasmEdge it has"
        ))
        .because(format!("its label `{ENGINE_LABEL}` is missing"))
        .next("make it again: run `make images`")
    })?;
    Ok((
        image.label(RECIPE_LABEL).unwrap_or(&image.id).to_owned(),
        engine.to_owned(),
    ))
}
