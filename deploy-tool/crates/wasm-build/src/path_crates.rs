//! Edge: finds the crates that a workspace names by `path` and that are no members of it, which `cargo metadata` of the
//! workspace does not tell: Cargo reads each of them before it compiles anything.

use std::collections::{BTreeSet, VecDeque};
use std::path::{Path, PathBuf};

use crate::workspace::Workspace;
use crate::workspace::path_crate::{self, PATCH, PathCrate};

/// Finds those that members and `[patch]` name, and those that these bring, as far as they are in the workspace's base.
pub fn find(workspace: &Workspace) -> Vec<PathCrate> {
    let mut seen: BTreeSet<PathBuf> = workspace
        .packages
        .iter()
        .map(|package| package.folder().to_owned())
        .collect();
    let mut waiting: VecDeque<PathCrate> = patched(workspace)
        .into_iter()
        .chain(workspace.named_by_members())
        .collect();
    let mut found = Vec::new();
    while let Some(next) = waiting.pop_front() {
        if !seen.insert(next.folder.clone()) {
            continue;
        }
        if workspace.relative(&next.folder).is_some() {
            waiting.extend(brought(workspace, &next));
        }
        found.push(next);
    }
    found
}

/// The manifest of another workspace that a crate takes fields from.
pub fn inherited_manifest(workspace: &Workspace, folder: &Path) -> Option<PathBuf> {
    let own = text(folder);
    let is_inheriting = own.lines().any(|line| line.replace(' ', "").contains("workspace=true"));
    is_inheriting.then(|| root_of(workspace, folder).join("Cargo.toml"))
}

fn patched(workspace: &Workspace) -> Vec<PathCrate> {
    let manifest = text(&workspace.root);
    let patches = path_crate::patches((&workspace.root, &manifest)).into_iter();
    let found = patches.map(|(name, folder)| PathCrate {
        owner: PATCH.to_owned(),
        manifest: workspace.root.join("Cargo.toml"),
        name,
        folder,
    });
    found.collect()
}

/// What a crate names itself. A folder that is not there is that of an optional dependency that nobody turns on.
fn brought(workspace: &Workspace, named: &PathCrate) -> Vec<PathCrate> {
    let root = root_of(workspace, &named.folder);
    let (manifest, of_root) = (text(&named.folder), text(root));
    let dependencies = path_crate::dependencies((&named.folder, &manifest), (root, &of_root)).into_iter();
    let found = dependencies.map(|(name, folder)| PathCrate {
        owner: named.name.clone(),
        manifest: named.folder.join("Cargo.toml"),
        name,
        folder,
    });
    found.filter(|one| one.folder.join("Cargo.toml").is_file()).collect()
}

/// The folder of the workspace that a crate belongs to.
fn root_of<'f>(workspace: &'f Workspace, folder: &'f Path) -> &'f Path {
    let has_workspace = |folder: &&Path| {
        text(folder)
            .lines()
            .any(|line| line.trim_start().starts_with("[workspace"))
    };
    let inner = folder
        .ancestors()
        .take_while(|folder| workspace.relative(folder).is_some());
    inner.into_iter().find(has_workspace).unwrap_or(&workspace.root)
}

/// The manifest of a folder. Of one that cannot be read, Cargo tells more.
fn text(folder: &Path) -> String {
    std::fs::read_to_string(folder.join("Cargo.toml")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{build_context, inputs};
    use serde_json::json;

    fn workspace(root: &Path) -> Workspace {
        let package = json!({"name": "app", "manifest_path": root.join("app/Cargo.toml"), "dependencies": [],
            "targets": [{"name": "app", "kind": ["bin"], "src_path": root.join("app/src/main.rs")}]});
        let mut workspace: Workspace =
            serde_json::from_value(json!({"workspace_root": root, "packages": [package]})).unwrap();
        workspace.path_crates = find(&workspace);
        workspace
    }

    #[test]
    fn what_patch_names_and_what_that_brings_is_in_the_digest_and_in_the_stage() {
        let home = tempfile::tempdir().unwrap();
        let root = home.path();
        for (path, text) in [
            (
                "Cargo.toml",
                "[workspace]\nmembers = [\"app\"]\n[patch.crates-io]\nfoo = { path = \"vendor/foo\" }\n",
            ),
            ("Cargo.lock", ""),
            ("app/Cargo.toml", "[package]\nname = \"app\"\n"),
            ("app/src/main.rs", "fn main() {}"),
            (
                "vendor/Cargo.toml",
                "[workspace]\n[workspace.dependencies]\nbar = { path = \"bar\" }\n",
            ),
            (
                "vendor/foo/Cargo.toml",
                "[package]\nname = \"foo\"\n[dependencies]\nbar = { workspace = true }\nnone = { path = \"none\" }\n\
                 [dev-dependencies]\nother = { path = \"../other\" }\n",
            ),
            ("vendor/foo/src/lib.rs", "one"),
            ("vendor/bar/Cargo.toml", "[package]\nname = \"bar\"\n"),
            ("vendor/bar/src/lib.rs", "two"),
            ("vendor/other/Cargo.toml", "[package]\nname = \"other\"\n"),
        ] {
            std::fs::create_dir_all(root.join(path).parent().unwrap()).unwrap();
            std::fs::write(root.join(path), text).unwrap();
        }
        let found = workspace(root);
        let names: Vec<(&str, &str)> = found
            .path_crates
            .iter()
            .map(|one| (one.owner.as_str(), one.name.as_str()))
            .collect();
        assert_eq!(names, [(PATCH, "foo"), ("foo", "bar")]);
        let read =
            |workspace: &Workspace| inputs::read(workspace, &workspace.package_sources("app", "").unwrap()).unwrap();
        let before = read(&found);
        let stage = tempfile::tempdir().unwrap();
        build_context::fill(stage.path(), &found, &before).unwrap();
        for path in ["vendor/Cargo.toml", "vendor/foo/src/lib.rs", "vendor/bar/src/lib.rs"] {
            assert!(stage.path().join(path).is_file(), "{path}");
        }
        assert!(!stage.path().join("vendor/other").exists());
        std::fs::write(root.join("vendor/bar/src/lib.rs"), "changed").unwrap();
        assert_ne!(read(&found).digest(), before.digest());
    }

    #[test]
    fn what_is_outside_is_found_and_not_looked_into() {
        let home = tempfile::tempdir().unwrap();
        let root = home.path().join("w");
        std::fs::create_dir(&root).unwrap();
        std::fs::write(
            root.join("Cargo.toml"),
            "[patch.crates-io]\nfoo = { path = \"../foo\" }\n",
        )
        .unwrap();
        let found = workspace(&root).outside();
        let folders: Vec<&Path> = found.iter().map(|one| one.folder.as_path()).collect();
        assert_eq!(folders, [home.path().join("foo")]);
    }
}
