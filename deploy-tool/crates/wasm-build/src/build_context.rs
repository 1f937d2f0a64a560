//! Edge: puts the sources of a module into a fresh folder for the builder.
//!
//! Fresh, because Cargo takes a source that is not newer than its object for unchanged: files written now always are.
//! Members that are no part of the module are there as empty programs: the lock file covers them, so Cargo wants to see
//! them, and their compiler may be newer than the guest's.

use std::path::Path;

use crate::inputs::Inputs;
use crate::workspace::Workspace;
use diagnostics::{Error, Result};

/// Valid as a library, as a program and as a build script.
const EMPTY_PROGRAM: &[u8] = b"#![allow(dead_code)]\nfn main() {}\n";

/// Fills a folder.
///
/// # Errors
/// When a file cannot be read or written.
pub fn fill(folder: &Path, workspace: &Workspace, inputs: &Inputs) -> Result<()> {
    for (path, bytes) in &inputs.files {
        write(&folder.join(path), bytes)?;
    }
    for package in &workspace.packages {
        let Some(manifest) = workspace.relative(package.manifest()) else {
            continue;
        };
        if inputs.files.contains_key(manifest) {
            continue;
        }
        let bytes = std::fs::read(package.manifest())
            .map_err(|error| Error::file(format!("cannot read `{}`", package.manifest().display()), &error))?;
        write(&folder.join(manifest), &bytes)?;
        for source in package.target_sources().filter_map(|source| workspace.relative(source)) {
            write(&folder.join(source), EMPTY_PROGRAM)?;
        }
    }
    Ok(())
}

fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    let parent = path.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(parent)
        .and_then(|()| std::fs::write(path, bytes))
        .map_err(|error| Error::file(format!("cannot write `{}`", path.display()), &error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inputs;
    use serde_json::json;

    /// Two copies of one workspace, made at different times with other permissions, have one digest.
    #[test]
    fn only_paths_and_bytes_count() {
        let (first_folder, second_folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let make = |root: &Path| {
            for (path, text) in [
                ("Cargo.toml", "w"),
                ("Cargo.lock", "l"),
                ("app/Cargo.toml", "a"),
                ("app/src/main.rs", "m"),
                ("tool/Cargo.toml", "t"),
                ("tool/src/main.rs", "secret"),
                ("app/target/x", "object"),
                ("app/.swp", "s"),
            ] {
                write(&root.join(path), text.as_bytes()).unwrap();
            }
            let package = |name: &str| {
                let source = root.join(name).join("src/main.rs");
                json!({"name": name, "manifest_path": root.join(name).join("Cargo.toml"), "dependencies": [],
                    "targets": [{"name": name, "kind": ["bin"], "src_path": source}]})
            };
            let workspace = json!({"workspace_root": root, "packages": [package("app"), package("tool")]});
            serde_json::from_value::<Workspace>(workspace).unwrap()
        };
        let (first, second) = (make(first_folder.path()), make(second_folder.path()));
        let main = second_folder.path().join("app/src/main.rs");
        std::fs::File::open(&main)
            .unwrap()
            .set_modified(std::time::SystemTime::UNIX_EPOCH)
            .unwrap();
        let mut permissions = std::fs::metadata(&main).unwrap().permissions();
        std::os::unix::fs::PermissionsExt::set_mode(&mut permissions, 0o600);
        std::fs::set_permissions(&main, permissions).unwrap();

        let read =
            |workspace: &Workspace| inputs::read(workspace, &workspace.package_sources("app", "").unwrap()).unwrap();
        let (inputs_one, inputs_two) = (read(&first), read(&second));
        assert_eq!(inputs_one.digest(), inputs_two.digest());
        assert_eq!(inputs_one.files.len(), 4);

        let stage = tempfile::tempdir().unwrap();
        fill(stage.path(), &first, &inputs_one).unwrap();
        let text = |path: &str| std::fs::read_to_string(stage.path().join(path)).unwrap();
        assert_eq!(
            (text("app/src/main.rs").as_str(), text("tool/Cargo.toml").as_str()),
            ("m", "t")
        );
        assert!(!text("tool/src/main.rs").contains("secret"));
        assert!(!stage.path().join("app/target").exists());

        std::fs::write(second_folder.path().join("app/src/main.rs"), "changed").unwrap();
        assert_ne!(read(&second).digest(), inputs_one.digest());
        std::fs::remove_file(second_folder.path().join("Cargo.lock")).unwrap();
        let failure = inputs::read(&second, &second.package_sources("app", "").unwrap()).unwrap_err();
        assert!(failure.to_string().contains("cargo generate-lockfile"), "{failure}");
    }
}
