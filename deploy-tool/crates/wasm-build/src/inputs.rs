//! Edge: reads everything a module is made of, so that an unchanged module can be recognised.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::workspace::{Package, Workspace};
use diagnostics::{Error, Result};
use oci_artifacts::digest;

/// The files a module is made of: path from the folder that the whole workspace is in, and bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inputs {
    /// Sorted by path.
    pub files: BTreeMap<PathBuf, Vec<u8>>,
    /// Where the workspace's Cargo.toml is.
    pub root: PathBuf,
}

impl Inputs {
    /// The digest of all paths and bytes. Times, owners and permissions are not in it.
    pub fn digest(&self) -> String {
        let named: Vec<(String, &[u8])> = self
            .files
            .iter()
            .map(|(path, bytes)| (path.to_string_lossy().into_owned(), bytes.as_slice()))
            .collect();
        digest::parts(named.iter().map(|(path, bytes)| (path.as_str(), *bytes)))
    }

    /// The bytes of Cargo.lock.
    pub fn lock(&self) -> &[u8] {
        self.files.get(&self.root.join("Cargo.lock")).map_or(&[], Vec::as_slice)
    }
}

/// Reads the workspace's manifest and lock, and all files of the given packages.
///
/// # Errors
/// When one cannot be read.
pub fn read(workspace: &Workspace, packages: &[&Package]) -> Result<Inputs> {
    let mut inputs = Inputs {
        root: workspace
            .relative(&workspace.root)
            .map(Path::to_owned)
            .unwrap_or_default(),
        ..Inputs::default()
    };
    for name in ["Cargo.toml", "Cargo.lock"] {
        read_file(workspace, &workspace.root.join(name), &mut inputs)?;
    }
    for package in packages {
        read_folder(workspace, package.folder(), &mut inputs)?;
    }
    Ok(inputs)
}

fn read_folder(workspace: &Workspace, folder: &Path, inputs: &mut Inputs) -> Result<()> {
    let failure = |error| Error::file(format!("cannot read the folder `{}`", folder.display()), &error);
    for entry in std::fs::read_dir(folder).map_err(failure)? {
        let entry = entry.map_err(failure)?;
        let name = entry.file_name();
        // Cargo's output, and what editors and systems leave behind, is no source.
        if name == "target" || name.to_string_lossy().starts_with('.') {
            continue;
        }
        if entry.path().is_dir() {
            read_folder(workspace, &entry.path(), inputs)?;
        } else {
            read_file(workspace, &entry.path(), inputs)?;
        }
    }
    Ok(())
}

fn read_file(workspace: &Workspace, path: &Path, inputs: &mut Inputs) -> Result<()> {
    let bytes = std::fs::read(path).map_err(|error| {
        let failure = Error::file(format!("cannot read `{}`", path.display()), &error);
        if path.ends_with("Cargo.lock") {
            // With versions that the builder's compiler takes.
            failure.hint(
                "make it, `CARGO_RESOLVER_INCOMPATIBLE_RUST_VERSIONS=fallback cargo generate-lockfile`, and commit it",
            )
        } else {
            failure
        }
    })?;
    inputs
        .files
        .insert(workspace.relative(path).unwrap_or(path).to_owned(), bytes);
    Ok(())
}
