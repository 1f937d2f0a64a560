//! Edge: asks Cargo which crates a module is made of.

use std::path::Path;

use crate::TARGET;
use crate::sources::Sources;
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
    let package = sources.definition.package.as_str();
    let (stage, cargo_home) = (sources.stage(cache)?, cache.scratch("cargo-home")?);
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
        .args(sources.cargo_arguments(vendor)?)
        .current_dir(stage.path.join(&sources.inputs.root))
        .env("CARGO_HOME", &cargo_home.path);
    let output = process::capture(command).await?;
    if output.success {
        Ok(output.stdout)
    } else {
        Err(Error::prerequisite(format!("cargo cannot tell which crates `{package}` is made of")).cause(output.stderr))
    }
}
