//! Edge: runs the two compilers in the builder image. Paths in the container are the same on every machine, so the
//! bytes are too.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::TARGET;
use super::{crates, inputs::Inputs, stage, workspace::Workspace};
use crate::cache::Cache;
use crate::failure::{Failure, Outcome};
use crate::image::Definition;
use crate::printer::Progress;
use crate::process;
use crate::settings::BUILDER_IMAGE;

/// Reads what Cargo knows of a workspace.
///
/// # Errors
/// When the folder is no workspace.
pub async fn workspace(folder: &Path) -> Outcome<Workspace> {
    let mut command = process::command("cargo", ["metadata", "--no-deps", "--format-version", "1"]);
    let missing = || Failure::input(format!("`{}` is no Cargo workspace", folder.display()));
    if !folder.join("Cargo.toml").is_file() {
        return Err(missing()
            .because("it has no Cargo.toml")
            .next("run this in the project's folder, or name it with --workspace"));
    }
    command.current_dir(folder);
    let output = process::capture(command).await?;
    if !output.success {
        return Err(missing().because(output.stderr));
    }
    serde_json::from_str(&output.stdout).map_err(|error| missing().because(error))
}

/// Compiles a package to a module.
///
/// # Errors
/// When the source does not compile, or the builder cannot run.
pub async fn module(
    cache: &Cache,
    progress: &Progress,
    workspace: &Workspace,
    inputs: &Inputs,
    definition: &Definition,
) -> Outcome<Vec<u8>> {
    let Definition { package, profile, .. } = definition;
    let vendor = crates::fetch(cache, progress, &workspace.root, inputs.lock()).await?;
    let stage = cache.scratch("stage")?;
    stage::fill(&stage.path, workspace, inputs)?;
    let target = cache.path("target/objects")?;
    let target = target.parent().unwrap_or(&target);
    let mut arguments = container(
        cache,
        &[(&stage.path, "/src:ro"), (&vendor, "/vendor:ro"), (target, "/target")],
    )?;
    arguments.extend(
        [
            "--workdir=/src",
            "--env=CARGO_HOME=/target/cargo-home",
            "--env=CARGO_TARGET_DIR=/target",
            "--env=CARGO_TARGET_WASM32_WASIP1_RUSTFLAGS=--remap-path-prefix=/src=. --remap-path-prefix=/vendor=crates",
            BUILDER_IMAGE,
            "cargo",
            "build",
            "--profile",
            profile,
            "--locked",
            "--offline",
            "--config=source.crates-io.replace-with=\"vendor\"",
            "--config=source.vendor.directory=\"/vendor\"",
            "--target",
            TARGET,
            "--package",
            package,
            "--bin",
            package,
        ]
        .map(str::to_owned),
    );
    let command = process::command("docker", arguments);
    process::logged(progress, command, &cache.log("compile"))
        .await?
        .check(|| Failure::input(format!("the package `{package}` does not compile for {TARGET}")))?;
    read(&target.join(TARGET).join(profile).join(format!("{package}.wasm")))
}

/// Compiles a module ahead of time, for every processor of the architecture.
///
/// # Errors
/// When the compiler refuses it, or the builder cannot run.
pub async fn ahead_of_time(cache: &Cache, progress: &Progress, module: &[u8]) -> Outcome<Vec<u8>> {
    let folder = cache.scratch("aot")?;
    cache.write(&folder.path.join("in.wasm"), module)?;
    let mut arguments = container(cache, &[(&folder.path, "/work")])?;
    arguments.extend(
        [
            "--workdir=/work",
            BUILDER_IMAGE,
            "wasmedge",
            "compile",
            "--generic-binary",
            "in.wasm",
            "out.wasm",
        ]
        .map(str::to_owned),
    );
    let command = process::command("docker", arguments);
    process::logged(progress, command, &cache.log("ahead-of-time"))
        .await?
        .check(|| Failure::prerequisite("WasmEdge cannot compile the module ahead of time"))?;
    read(&folder.path.join("out.wasm"))
}

/// `docker run` without network, as the user who owns the cache, so that its files stay that user's.
fn container(cache: &Cache, mounts: &[(&Path, &str)]) -> Outcome<Vec<String>> {
    let root = cache.path("")?;
    let owner = std::fs::metadata(&root)
        .map_err(|error| Failure::file(format!("cannot look at `{}`", root.display()), &error))?;
    let user = format!("--user={}:{}", owner.uid(), owner.gid());
    let fixed = ["run", "--rm", "--init", "--network=none", "--pull=never"].map(str::to_owned);
    let volumes = mounts
        .iter()
        .map(|(host, guest)| format!("--volume={}:{guest}", host.display()));
    Ok(fixed.into_iter().chain([user]).chain(volumes).collect())
}

fn read(path: &PathBuf) -> Outcome<Vec<u8>> {
    std::fs::read(path).map_err(|error| Failure::file(format!("the compiler has left no `{}`", path.display()), &error))
}
