//! Edge: reads everything a module is made of, so that an unchanged module can be recognised.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use crate::source_folder::{SourceFolder, is_no_source};
use crate::workspace::{Package, Workspace};
use crate::{cargo_config, path_crates, string_literals};
use diagnostics::{Error, Result};
use oci_artifacts::digest;

/// The files a module is made of: path from the folder that the whole workspace is in, and bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inputs {
    /// Sorted by path.
    pub files: BTreeMap<PathBuf, Vec<u8>>,
    /// Where the workspace's Cargo.toml is.
    pub root: PathBuf,
    /// The compiler flags that the workspace's `.cargo/config.toml` has for a guest.
    pub flags: Vec<String>,
}

impl Inputs {
    /// The digest of all paths, bytes and flags. Times, owners and permissions are not in it.
    pub fn digest(&self) -> String {
        let files = self.files.iter();
        let files = files.map(|(path, bytes)| (path.to_string_lossy().into_owned(), bytes.as_slice()));
        let flags = self
            .flags
            .iter()
            .map(|flag| (cargo_config::PATH.to_owned(), flag.as_bytes()));
        let named: Vec<(String, &[u8])> = files.chain(flags).collect();
        digest::parts(named.iter().map(|(path, bytes)| (path.as_str(), *bytes)))
    }

    fn insert(&mut self, workspace: &Workspace, path: &Path, bytes: Vec<u8>) {
        let path = workspace.relative(path).unwrap_or(path).to_owned();
        self.files.insert(path, bytes);
    }

    /// The bytes of Cargo.lock.
    pub fn lock(&self) -> &[u8] {
        self.files.get(&self.root.join("Cargo.lock")).map_or(&[], Vec::as_slice)
    }
}

/// What a module is made of beside its packages, from the workspace's folder.
pub const WORKSPACE_FILES: [&str; 3] = ["Cargo.toml", "Cargo.lock", cargo_config::PATH];

/// What lies beside a package for people and clusters: no part of its module, unless its sources name it.
const BESIDE: [&str; 4] = ["README.md", "docs", "manifests", "oci"];

/// Reads the workspace's manifest and lock file, all files of the given packages, except [excluded folders](BESIDE), and those
/// of crates in its folder that are no members: an edited Kubernetes manifest must not compile the module again. The builder does
/// not see excluded files.
///
/// # Errors
/// When one cannot be read.
pub fn read(workspace: &Workspace, packages: &[&Package]) -> Result<Inputs> {
    let mut inputs = Inputs {
        root: workspace
            .relative(&workspace.root)
            .map(Path::to_owned)
            .unwrap_or_default(),
        flags: read_flags(&workspace.root)?,
        ..Inputs::default()
    };
    for name in ["Cargo.toml", "Cargo.lock"] {
        read_file(workspace, &workspace.root.join(name), &mut inputs)?;
    }
    for package in packages {
        read_package(workspace, package, &mut inputs)?;
    }
    // Cargo wants to see them, whatever it compiles.
    for folder in workspace.inner_folders() {
        read_folder(workspace, folder, &[], &mut inputs)?;
        if let Some(manifest) = path_crates::inherited_manifest(workspace, folder) {
            read_file(workspace, &manifest, &mut inputs)?;
        }
    }
    Ok(inputs)
}

fn read_flags(root: &Path) -> Result<Vec<String>> {
    let path = root.join(cargo_config::PATH);
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(Error::file(format!("cannot read `{}`", path.display()), &error)),
    };
    cargo_config::guest_flags(&text)
        .map_err(|error| Error::input(format!("cannot read `{}`", path.display())).cause(error))
}

fn read_package(workspace: &Workspace, package: &Package, inputs: &mut Inputs) -> Result<()> {
    let folder = package.folder();
    // The files that a build script reads are unknown.
    if package.build_script().is_some() {
        return read_folder(workspace, folder, &[], inputs);
    }
    read_folder(workspace, folder, &BESIDE, inputs)?;
    let of_package = workspace.relative(folder).unwrap_or(folder).to_owned();
    let own: Vec<(&PathBuf, &Vec<u8>)> = inputs
        .files
        .iter()
        .filter(|(path, _)| path.starts_with(&of_package))
        .collect();
    let is_named = |name: &&str| own.iter().any(|(path, bytes)| names(path, bytes, name));
    let named: Vec<&str> = BESIDE.into_iter().filter(is_named).collect();
    for path in named.into_iter().map(|name| folder.join(name)) {
        if path.is_dir() {
            read_folder(workspace, &path, &[], inputs)?;
        } else if path.is_file() {
            read_file(workspace, &path, inputs)?;
        }
    }
    Ok(())
}

/// Whether a source names a file or folder. One that cannot be read may.
fn names(path: &Path, bytes: &[u8], name: &str) -> bool {
    let text = String::from_utf8_lossy(bytes);
    match path.extension().and_then(OsStr::to_str) {
        Some("rs") => string_literals::strings(&text).map_or(true, |all| all.iter().any(|one| has_word(one, name))),
        Some("toml") => text.lines().any(|line| !line.starts_with('#') && has_word(line, name)),
        _ => false,
    }
}

/// Whether a text has a name that is no part of a longer one.
fn has_word(text: &str, word: &str) -> bool {
    let is_part = |one: char| one.is_alphanumeric() || one == '_';
    text.match_indices(word)
        .any(|(start, _)| !text[..start].ends_with(is_part) && !text[start + word.len()..].starts_with(is_part))
}

/// Reads all files of a folder, but for those of some names in it.
fn read_folder(workspace: &Workspace, folder: &Path, left_out: &[&str], inputs: &mut Inputs) -> Result<()> {
    for path in SourceFolder::list(folder, left_out).files {
        match std::fs::read(&path) {
            Ok(bytes) => inputs.insert(workspace, &path, bytes),
            Err(error) if is_no_source(&error) => {}
            Err(error) => return Err(Error::file(format!("cannot read `{}`", path.display()), &error)),
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
    inputs.insert(workspace, path, bytes);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// A package with some files, and the paths of its inputs.
    fn paths(main: &str, has_build_script: bool) -> Vec<String> {
        let home = tempfile::tempdir().unwrap();
        let root = home.path();
        for (path, text) in [
            ("Cargo.toml", "[package]\n"),
            ("Cargo.lock", ""),
            ("README.md", "manifests"),
            ("docs/page.md", ""),
            ("manifests/shop.yaml", ""),
            ("migrations/1.sql", ""),
            ("oci/shop/image.yaml", ""),
            ("src/main.rs", main),
            ("src/manifests/mod.rs", ""),
        ] {
            std::fs::create_dir_all(root.join(path).parent().unwrap()).unwrap();
            std::fs::write(root.join(path), text).unwrap();
        }
        let mut targets = vec![json!({"name": "shop", "kind": ["bin"], "src_path": root.join("src/main.rs")})];
        if has_build_script {
            targets.push(json!({"name": "b", "kind": ["custom-build"], "src_path": root.join("build.rs")}));
        }
        let package =
            json!({"name": "shop", "manifest_path": root.join("Cargo.toml"), "dependencies": [], "targets": targets});
        let workspace: Workspace =
            serde_json::from_value(json!({"workspace_root": root, "packages": [package]})).unwrap();
        let inputs = read(&workspace, &workspace.package_sources("shop", "").unwrap()).unwrap();
        let known = [
            "Cargo.toml",
            "Cargo.lock",
            "src/main.rs",
            "src/manifests/mod.rs",
            "migrations/1.sql",
        ];
        let paths: Vec<String> = inputs.files.keys().map(|path| path.display().to_string()).collect();
        assert!(
            known.iter().all(|path| paths.iter().any(|found| found == path)),
            "{paths:?}"
        );
        paths
            .into_iter()
            .filter(|path| !known.contains(&path.as_str()))
            .collect()
    }

    #[test]
    fn what_lies_beside_a_package_counts_only_where_its_sources_may_read_it() {
        for (main, has_build_script, expected) in [
            (
                "/// Of manifests/shop.yaml.\nfn main() { f(\"associated\"); } // docs",
                false,
                &[][..],
            ),
            (
                "const A: &str = include_str!(\"../manifests/shop.yaml\");",
                false,
                &["manifests/shop.yaml"],
            ),
            ("#![doc = include_str!(\"../README.md\")]", false, &["README.md"]),
            (
                "fn main() {}",
                true,
                &[
                    "README.md",
                    "docs/page.md",
                    "manifests/shop.yaml",
                    "oci/shop/image.yaml",
                ],
            ),
        ] {
            assert_eq!(paths(main, has_build_script), expected, "{main}");
        }
    }
}
