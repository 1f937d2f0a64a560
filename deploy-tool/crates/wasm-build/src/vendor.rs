//! Edge: the crates of a lock file in one folder, so that the builder needs no network.
//!
//! `cargo vendor` runs on this host, where the user's own mirror, proxy and certificates are set up.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::replaced_sources;
use crate::workspace::Workspace;
use diagnostics::{Error, Result};
use host::cache::Cache;
use host::{lock, process};
use oci_artifacts::digest;
use terminal::Progress;

/// How many lock files' crates are kept.
const KEPT: usize = 3;

/// The crates of a lock file. Their folder stays as long as this value: no other run removes what is locked.
#[derive(Debug)]
pub struct Vendor {
    folder: PathBuf,
    _lock: File,
}

impl Vendor {
    /// The crates of a lock file, where they were fetched already.
    ///
    /// # Errors
    /// When the cache cannot be used.
    pub fn find(cache: &Cache, lock: &[u8]) -> Result<Option<Self>> {
        Self::open(folder(cache, lock)?)
    }

    fn open(folder: PathBuf) -> Result<Option<Self>> {
        let failure = |error| Error::file(format!("cannot open `{}`", folder.display()), &error);
        let opened = match File::open(&folder) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            opened => opened.map_err(failure)?,
        };
        opened.lock_shared().map_err(failure)?;
        // What was not used for longest is removed first.
        opened.set_modified(SystemTime::now()).map_err(failure)?;
        // It may have been removed just before it was locked.
        Ok(folder.is_dir().then_some(Self { folder, _lock: opened }))
    }

    /// Where they are.
    pub fn folder(&self) -> &Path {
        &self.folder
    }
}

fn folder(cache: &Cache, lock: &[u8]) -> Result<PathBuf> {
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

/// The crates of a lock file, fetched when they are not there yet.
///
/// # Errors
/// When cargo cannot fetch them.
pub async fn fetch(cache: &Cache, progress: &Progress, root: &Path, lock: &[u8]) -> Result<Vendor> {
    let folder = folder(cache, lock)?;
    let _lock = lock::builder(cache, progress, "crates").await?;
    if let Some(vendor) = Vendor::open(folder.clone())? {
        return Ok(vendor);
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
    let failure = |error| Error::file(format!("cannot make `{}`", folder.display()), &error);
    std::fs::rename(&part.path, &folder).map_err(failure)?;
    let vendor = Vendor::open(folder.clone())?;
    remove_old(cache, &folder)?;
    vendor.ok_or_else(|| failure(std::io::ErrorKind::NotFound.into()))
}

/// Each lock file's crates take half a gigabyte. Those of the last few lock files stay, for going back and forth, and those
/// that another run is using.
fn remove_old(cache: &Cache, newest: &Path) -> Result<()> {
    let Some(entries) = newest.parent().and_then(|parent| std::fs::read_dir(parent).ok()) else {
        return Ok(());
    };
    let mut folders: Vec<(SystemTime, PathBuf)> = entries
        .flatten()
        .filter_map(|entry| Some((entry.metadata().ok()?.modified().ok()?, entry.path())))
        .collect();
    folders.sort();
    for (_, folder) in folders.iter().rev().skip(KEPT) {
        let Ok(opened) = File::open(folder) else { continue };
        if opened.try_lock().is_ok() {
            // A run that ends in the midst of this leaves no half of a folder under its name. What cannot be moved costs disk
            // space, and nothing else.
            let removed = cache.scratch("vendor")?;
            let _ = std::fs::rename(folder, &removed.path);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn those_used_last_stay_and_those_in_use() {
        let parent = tempfile::tempdir().unwrap();
        let cache = Cache::at(parent.path()).unwrap();
        let folders = ["d", "a", "c", "b", "e", "f"].map(|lock| folder(&cache, lock.as_bytes()).unwrap());
        for (minutes, folder) in [0, 1, 2, 61, 80, 500].into_iter().zip(&folders) {
            std::fs::create_dir_all(folder.join("crate")).unwrap();
            let time = SystemTime::now() - Duration::from_secs(60 * minutes);
            File::open(folder).unwrap().set_modified(time).unwrap();
        }
        let left = || folders.each_ref().map(|folder| folder.join("crate").exists());

        let in_use = File::open(&folders[4]).unwrap();
        in_use.lock_shared().unwrap();
        remove_old(&cache, &folders[0]).unwrap();
        assert_eq!(left(), [true, true, true, false, true, false]);

        // Used a moment ago, it is kept before those that were fetched later.
        drop(in_use);
        drop(Vendor::find(&cache, b"e").unwrap().unwrap());
        remove_old(&cache, &folders[0]).unwrap();
        assert_eq!(left(), [true, true, false, false, true, false]);
        assert!(Vendor::find(&cache, b"f").unwrap().is_none());
    }
}
