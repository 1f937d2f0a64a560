//! Edge: runs the two compilers in the builder.

use std::path::{Path, PathBuf};

use crate::builder::Builder;
use crate::native_form::NativeForm;
use crate::profile::Profile;
use crate::sources::Sources;
use crate::workspace::Workspace;
use crate::{NATIVE_TARGET, TARGET, path_crates};
use diagnostics::{Error, Result};
use host::process;
use terminal::Progress;

/// Reads what Cargo knows of a workspace.
///
/// # Errors
/// When the folder is no workspace.
pub async fn workspace(folder: &Path) -> Result<Workspace> {
    let mut command = process::command("cargo", ["metadata", "--no-deps", "--format-version", "1"]);
    let missing = || Error::input(format!("`{}` is not a Cargo workspace", folder.display()));
    if !folder.join("Cargo.toml").is_file() {
        return Err(missing()
            .cause("it has no Cargo.toml")
            .hint("run this in the project's folder, or name it with --workspace"));
    }
    command.current_dir(folder);
    let output = process::capture(command).await?;
    if !output.success {
        return Err(missing().cause(output.stderr));
    }
    let mut workspace: Workspace = serde_json::from_str(&output.stdout).map_err(|error| missing().cause(error))?;
    workspace.path_crates = path_crates::find(&workspace);
    Ok(workspace)
}

/// For what a package is compiled.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    triple: &'static str,
    flags: &'static str,
    ending: &'static str,
}

/// The target for modules.
pub const MODULE: Target = Target {
    triple: TARGET,
    flags: "--remap-path-prefix=/src=. --remap-path-prefix=/vendor=crates",
    ending: ".wasm",
};
/// A native program for the processors that modules are compiled ahead of time for, and with all its libraries: nothing
/// else is in its image.
pub const NATIVE: Target = Target {
    triple: NATIVE_TARGET,
    flags: "-Ctarget-feature=+crt-static -Ctarget-cpu=x86-64-v3",
    ending: "",
};

/// Compiles a package.
///
/// # Errors
/// When the source does not compile, or the builder cannot run.
pub async fn package(
    builder: &Builder,
    progress: &Progress,
    sources: &Sources<'_>,
    profile: &Profile,
    target: &Target,
) -> Result<Vec<u8>> {
    let package = sources.definition.package.as_str();
    let Target { triple, flags, ending } = target;
    let cache = &builder.cache;
    let vendor = sources.vendor(cache, progress).await?;
    let stage = sources.stage(cache)?;
    let objects = cache.path("target/objects")?;
    let objects = objects.parent().unwrap_or(&objects);
    let mounts = [
        (&*stage.path, "/src:ro"),
        (vendor.folder(), "/vendor:ro"),
        (objects, "/target"),
    ];
    let variable = triple.to_ascii_uppercase().replace('-', "_");
    let flags = format!("--env=CARGO_TARGET_{variable}_RUSTFLAGS={flags}");
    let folder = format!("--workdir={}", Path::new("/src").join(&sources.inputs.root).display());
    let options = [
        folder.as_str(),
        "--env=CARGO_HOME=/target/cargo-home",
        "--env=CARGO_TARGET_DIR=/target",
        &flags,
    ];
    let task = compile_task(profile);
    builder
        .run(
            progress,
            &task,
            &mounts,
            &options,
            &cargo_build(sources, profile, triple)?,
        )
        .await?
        .check_compiler(|| Error::input(format!("the package `{package}` does not compile for {triple}")))
        .map_err(explain_empty_stage)?;
    read(
        &objects
            .join(triple)
            .join(profile.folder())
            .join(format!("{package}{ending}")),
    )
}

/// What compiles a package in the builder.
fn cargo_build(sources: &Sources<'_>, profile: &Profile, triple: &str) -> Result<Vec<String>> {
    let package = sources.definition.package.as_str();
    let mut program: Vec<String> = [
        "cargo",
        "build",
        "--profile",
        &profile.name,
        "--locked",
        "--offline",
        "--target",
        triple,
        "--package",
        package,
        "--bin",
        package,
    ]
    .map(str::to_owned)
    .into();
    program.extend(sources.cargo_arguments(Path::new("/vendor"))?);
    program.extend(profile.settings.iter().map(|setting| format!("--config={setting}")));
    // They come after those above: Cargo joins lists.
    if triple == TARGET && !sources.inputs.flags.is_empty() {
        let flags = serde_json::json!(sources.inputs.flags);
        program.push(format!("--config=target.{triple}.rustflags={flags}"));
    }
    Ok(program)
}

/// The stage has a Cargo.toml: where the compiler finds none, its container sees the folders of another host.
fn explain_empty_stage(failure: Error) -> Error {
    if !failure.to_string().contains("could not find `Cargo.toml` in `/src") {
        return failure;
    }
    Error::prerequisite("the containers of this Docker engine do not see the files of this host")
        .cause("the engine is on another host, or in another container (see `docker context ls` and DOCKER_HOST)")
        .hint("build where the engine is, or use an engine on this host")
}

/// What the builder does when it compiles by a profile. Each has a folder of objects of its own, and so a lock of its own.
pub fn compile_task(profile: &Profile) -> String {
    format!("compile-{}", profile.name)
}

/// What the builder does when it compiles ahead of time.
pub const AHEAD_OF_TIME: &str = "ahead-of-time";

/// Compiles a module ahead of time, for every processor of the architecture.
///
/// # Errors
/// When the compiler refuses it, or the builder cannot run.
pub async fn ahead_of_time(builder: &Builder, progress: &Progress, module: &[u8], form: NativeForm) -> Result<Vec<u8>> {
    let cache = &builder.cache;
    let folder = cache.scratch("aot")?;
    cache.write(&folder.path.join("in.wasm"), module)?;
    let output = format!("out.{}", form.file_extension());
    let program = ["wasmedge", "compile", "--generic-binary", "in.wasm", &output].map(str::to_owned);
    let mounts = [(&*folder.path, "/work")];
    builder
        .run(progress, AHEAD_OF_TIME, &mounts, &["--workdir=/work"], &program)
        .await?
        .check(|| Error::prerequisite("WasmEdge cannot compile the module ahead of time"))?;
    read(&folder.path.join(output))
}

fn read(path: &PathBuf) -> Result<Vec<u8>> {
    std::fs::read(path).map_err(|error| Error::file(format!("the compiler has left no `{}`", path.display()), &error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use diagnostics::ExitStatus;

    #[test]
    fn an_engine_elsewhere_is_told_from_a_source_that_does_not_compile() {
        let failure = |text: &str| Error::input("the package `shop` does not compile").detail(text);
        let elsewhere = failure("error: could not find `Cargo.toml` in `/src` or any parent directory");
        assert_eq!(explain_empty_stage(elsewhere).status, ExitStatus::Prerequisite);
        let source = failure("error[E0425]: cannot find value `a` in this scope");
        assert_eq!(explain_empty_stage(source).status, ExitStatus::Input);
    }

    #[test]
    fn profiles_of_cargo_compile_into_folders_of_other_names() {
        for (name, expected) in [
            ("release", "release"),
            ("dev", "debug"),
            ("test", "debug"),
            ("bench", "release"),
            ("small", "small"),
        ] {
            assert_eq!(Profile::from_workspace(name).folder(), expected);
        }
        assert_eq!(Profile::quick("dev").folder(), "dev-quick");
    }
}
