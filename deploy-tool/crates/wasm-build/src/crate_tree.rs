//! Edge: asks Cargo which crates a module is made of.

use std::path::Path;

use crate::sources::Sources;
use crate::{TARGET, build_context, features, vendor};
use diagnostics::{Error, Result};
use host::cache::Cache;
use host::process;
use oci_artifacts::bom::tree;

/// The output of `cargo tree` for a module, in the [format](tree::FORMAT) of the parser, with linked crates only: no tests, build
/// scripts and procedural macros. The features are those of this definition, as in its compilation. Cargo sees what the builder
/// sees: settings of the project and of this host may name the same sources otherwise, which Cargo refuses.
///
/// # Errors
/// When cargo fails, or the cache cannot be written.
pub async fn read(cache: &Cache, vendor: &Path, sources: &Sources<'_>) -> Result<String> {
    let Sources {
        workspace,
        definition,
        inputs,
        ..
    } = sources;
    let package = definition.package.as_str();
    let (stage, cargo_home) = (cache.scratch("stage")?, cache.scratch("cargo-home")?);
    build_context::fill(&stage.path, workspace, inputs)?;
    let options = [
        "tree",
        "--locked",
        "--offline",
        "--package",
        package,
        "--target",
        TARGET,
        "--edges=normal,no-proc-macro",
        "--prefix=depth",
        "--format",
        tree::FORMAT,
    ];
    let mut command = process::command("cargo", options);
    command
        .args(vendor::arguments(
            workspace,
            &String::from_utf8_lossy(inputs.lock()),
            vendor,
        )?)
        .args(features::argument(&definition.features))
        .current_dir(stage.path.join(&inputs.root))
        .env("CARGO_HOME", &cargo_home.path);
    let output = process::capture(command).await?;
    if output.success {
        Ok(output.stdout)
    } else {
        Err(Error::prerequisite(format!("cargo cannot tell which crates `{package}` is made of")).cause(output.stderr))
    }
}
