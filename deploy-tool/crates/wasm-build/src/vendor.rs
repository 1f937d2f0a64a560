//! Edge: the crates of a lock file in one folder, so that the builder needs no network.
//!
//! `cargo vendor` runs on this host, where the user's own mirror, proxy and certificates are set up.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use crate::workspace::Workspace;
use crate::{TARGET, features, replaced_sources};
use diagnostics::{Error, Result};
use host::cache::Cache;
use host::{lock, process};
use oci_artifacts::bom::tree;
use oci_artifacts::digest;
use oci_artifacts::image::Definition;
use terminal::Progress;

/// How many lock files' crates are kept.
const KEPT: usize = 3;

/// Crates that were fetched within this time stay as well: another run may be compiling them.
const IN_USE: Duration = Duration::from_secs(3600);

/// Where the crates of a lock file are once they are fetched.
///
/// # Errors
/// When the cache cannot be used.
pub fn folder(cache: &Cache, lock: &[u8]) -> Result<PathBuf> {
    cache.path(Path::new("vendor").join(digest::hex(lock)))
}

/// The arguments for Cargo to take all crates of a workspace from a vendor folder, which Cargo sees at `at`. They do not depend on
/// the host's own Cargo configuration.
///
/// # Errors
/// When a manifest cannot be read.
pub fn arguments(workspace: &Workspace, lock: &str, at: &Path) -> Result<Vec<String>> {
    let read = |path: &Path| {
        std::fs::read_to_string(path).map_err(|error| Error::file(format!("cannot read `{}`", path.display()), &error))
    };
    let root = read(&workspace.root.join("Cargo.toml"))?;
    let manifests: Vec<String> = workspace
        .packages
        .iter()
        .map(|package| read(package.manifest()))
        .collect::<Result<_>>()?;
    let dependencies = workspace.packages.iter().map(|package| package.dependencies.as_slice());
    let packages = manifests.iter().map(String::as_str).zip(dependencies);
    let registries = replaced_sources::registries(packages, &root);
    let settings = replaced_sources::settings(&at.display().to_string(), lock);
    let argument = |setting| format!("--config={setting}");
    Ok(settings.into_iter().chain(registries).map(argument).collect())
}

/// The folder with the crates of a lock file, fetched when it is not there yet.
///
/// # Errors
/// When cargo cannot fetch them.
pub async fn fetch(cache: &Cache, progress: &Progress, root: &Path, lock: &[u8]) -> Result<PathBuf> {
    let folder = self::folder(cache, lock)?;
    let _lock = lock::builder(cache, progress, "crates").await?;
    if folder.is_dir() {
        return Ok(folder);
    }
    progress.activity("fetching the crates that Cargo.lock names");
    let part = cache.scratch("vendor")?;
    let mut command = process::command(
        "cargo",
        ["vendor", "--locked", "--versioned-dirs", "--respect-source-config"],
    );
    command.arg(&part.path).current_dir(root);
    process::logged(progress, command, &cache.log("vendor")).await?.check(|| {
        Error::prerequisite("cannot fetch the crates that Cargo.lock names")
            .hint("check that `cargo fetch --locked` works here: the network, a mirror in ~/.cargo/config.toml, Cargo.lock")
    })?;
    std::fs::rename(&part.path, &folder)
        .map_err(|error| Error::file(format!("cannot make `{}`", folder.display()), &error))?;
    remove_old(&folder);
    Ok(folder)
}

/// The output of `cargo tree` for a module, in the [format](tree::FORMAT) of the parser, with linked crates only: no tests, build
/// scripts and procedural macros. The features are those of this definition, as in its compilation.
///
/// # Errors
/// When cargo fails.
pub async fn tree(folder: &Path, workspace: &Workspace, lock: &str, definition: &Definition) -> Result<String> {
    let package = definition.package.as_str();
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
        .args(arguments(workspace, lock, folder)?)
        .args(features::argument(&definition.features))
        .current_dir(&workspace.root);
    let output = process::capture(command).await?;
    match output.success {
        true => Ok(output.stdout),
        false => Err(
            Error::prerequisite(format!("cargo cannot tell which crates `{package}` is made of")).cause(output.stderr),
        ),
    }
}

/// Each lock file's crates take half a gigabyte. Those of the last few lock files stay, for going back and forth.
fn remove_old(newest: &Path) {
    let Some(entries) = newest.parent().and_then(|parent| std::fs::read_dir(parent).ok()) else {
        return;
    };
    let mut folders: Vec<(SystemTime, PathBuf)> = entries
        .flatten()
        .filter_map(|entry| Some((entry.metadata().ok()?.modified().ok()?, entry.path())))
        .collect();
    folders.sort();
    let is_old = |fetched: &SystemTime| fetched.elapsed().is_ok_and(|age| age > IN_USE);
    for (_, folder) in folders.iter().rev().skip(KEPT).filter(|(fetched, _)| is_old(fetched)) {
        // What cannot be removed costs disk space, and nothing else.
        let _ = std::fs::remove_dir_all(folder);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_stay_and_those_that_may_be_in_use() {
        let parent = tempfile::tempdir().unwrap();
        let folders = ["d", "a", "c", "b", "e", "f"].map(|name| parent.path().join(name));
        for (age, folder) in [0, 1, 2, 50, 61, 500].into_iter().zip(&folders) {
            std::fs::create_dir(folder).unwrap();
            let time = SystemTime::now() - Duration::from_secs(60 * age);
            std::fs::File::open(folder).unwrap().set_modified(time).unwrap();
        }
        remove_old(&folders[0]);
        let left: Vec<bool> = folders.iter().map(|folder| folder.exists()).collect();
        assert_eq!(left, [true, true, true, true, false, false]);
    }
}
