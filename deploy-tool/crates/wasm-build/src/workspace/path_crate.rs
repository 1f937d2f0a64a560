//! Pure: the crates that manifests name by `path`.

use std::path::{Component, Path, PathBuf};

use toml_edit::{Document, Item, TableLike};

/// The owner of what `[patch]` names.
pub const PATCH: &str = "[patch]";

/// A crate in a folder.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PathCrate {
    /// The package that names it, or [`PATCH`].
    pub owner: String,
    /// The manifest where it is named.
    pub manifest: PathBuf,
    /// Its name.
    pub name: String,
    /// Its folder.
    pub folder: PathBuf,
}

/// A manifest: its folder, and its text.
pub type Manifest<'m> = (&'m Path, &'m str);

/// Name and folder of what the `[patch]` of a workspace's manifest names by `path`.
pub fn patches(root: Manifest<'_>) -> Vec<(String, PathBuf)> {
    let Ok(document) = Document::parse(root.1) else {
        return Vec::new();
    };
    let registries = document.get("patch").and_then(Item::as_table_like);
    let tables = registries
        .into_iter()
        .flat_map(|all| all.iter().filter_map(|(_, table)| table.as_table_like()));
    tables
        .flat_map(|table| table.iter())
        .filter_map(|(key, item)| named(root.0, key, item.as_table_like()?))
        .collect()
}

/// Name and folder of the crates that one that is no member names by `path`, `root` being the manifest of its workspace. Those
/// of its tests are nobody's.
pub fn dependencies(manifest: Manifest<'_>, root: Manifest<'_>) -> Vec<(String, PathBuf)> {
    let (Ok(document), Ok(of_root)) = (Document::parse(manifest.1), Document::parse(root.1)) else {
        return Vec::new();
    };
    let inherited = of_root
        .get("workspace")
        .and_then(Item::as_table_like)
        .and_then(|workspace| workspace.get("dependencies")?.as_table_like());
    let targets = document.get("target").and_then(Item::as_table_like);
    let targets = targets
        .into_iter()
        .flat_map(|all| all.iter().filter_map(|(_, target)| target.as_table_like()));
    let own: &dyn TableLike = document.as_table();
    let tables = std::iter::once(own).chain(targets).flat_map(|table| {
        ["dependencies", "build-dependencies"]
            .into_iter()
            .filter_map(|kind| table.get(kind)?.as_table_like())
    });
    tables
        .flat_map(|table| table.iter())
        .filter_map(|(key, item)| {
            let written = item.as_table_like()?;
            if is_inherited(written) {
                named(root.0, key, inherited?.get(key)?.as_table_like()?)
            } else {
                named(manifest.0, key, written)
            }
        })
        .collect()
}

fn is_inherited(fields: &dyn TableLike) -> bool {
    fields.get("workspace").and_then(Item::as_bool) == Some(true)
}

fn named(folder: &Path, key: &str, fields: &dyn TableLike) -> Option<(String, PathBuf)> {
    let text = |field: &str| fields.get(field)?.as_str();
    let name = text("package").unwrap_or(key);
    Some((name.to_owned(), normalized(&folder.join(text("path")?))))
}

/// As `cargo metadata` writes it: without `..`.
fn normalized(path: &Path) -> PathBuf {
    let mut found = PathBuf::new();
    for component in path.components() {
        match component {
            Component::ParentDir => {
                found.pop();
            }
            Component::CurDir => {}
            other => found.push(other),
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(found: Vec<(String, PathBuf)>) -> Vec<String> {
        let shown = |(name, folder): &(String, PathBuf)| format!("{name} {}", folder.display());
        found.iter().map(shown).collect()
    }

    #[test]
    fn crates_in_folders_are_known_by_patch_and_by_what_they_depend_on() {
        let root = "[patch.crates-io]\nfoo = { path = \"patches/./foo\" }\nbar = { git = \"https://example.org/bar\" }\n\
            [patch.'https://example.org/x']\ntwo = { package = \"baz\", path = \"../baz\" }\n\
            [workspace.dependencies]\nshared = { path = \"shared\" }\nunused = { path = \"unused\" }\n";
        let root = (Path::new("/w"), root);
        assert_eq!(text(patches(root)), ["foo /w/patches/foo", "baz /baz"]);
        let manifest = "[dependencies]\none = { path = \"../one\", version = \"1\" }\nserde = \"1\"\nshared.workspace = true\n\
            [dev-dependencies]\nof-tests = { path = \"../tests\" }\n[build-dependencies.two]\npath = \"two\"\n\
            [target.'cfg(unix)'.dependencies]\nthree = { path = \"three\" }\n";
        assert_eq!(
            text(dependencies((Path::new("/w/patches/foo"), manifest), root)),
            [
                "one /w/patches/one",
                "shared /w/shared",
                "two /w/patches/foo/two",
                "three /w/patches/foo/three"
            ]
        );
        assert_eq!(text(patches((Path::new("/w"), "no TOML ["))), [""; 0]);
    }
}
