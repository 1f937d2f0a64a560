//! Edge: the crates of a lock file in one folder, so that the builder needs no network.
//!
//! `cargo vendor` runs on this host, where the user's own mirror, proxy and certificates are set up.

use std::path::{Path, PathBuf};

use crate::cache::Cache;
use crate::failure::{Failure, Outcome};
use crate::printer::Progress;
use crate::{digest, process};

/// The folder with the crates of a lock file, fetched when it is not there yet.
///
/// # Errors
/// When cargo cannot fetch them.
pub async fn fetch(cache: &Cache, progress: &Progress, root: &Path, lock: &[u8]) -> Outcome<PathBuf> {
    let folder = cache.path(Path::new("vendor").join(digest::hex(lock)))?;
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
        Failure::prerequisite("cannot fetch the crates that Cargo.lock names")
            .next("check that `cargo fetch --locked` works here: the network, a mirror in ~/.cargo/config.toml, Cargo.lock")
    })?;
    std::fs::rename(&part.path, &folder)
        .map_err(|error| Failure::file(format!("cannot make `{}`", folder.display()), &error))?;
    Ok(folder)
}
