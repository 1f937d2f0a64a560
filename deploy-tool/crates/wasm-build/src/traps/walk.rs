//! Edge: reads the source files of a package that a guest compiles, each with the modules that it names.

use std::collections::{BTreeSet, VecDeque};
use std::path::{Path, PathBuf};

use super::source::{self, Uses};
use crate::workspace::Package;
use diagnostics::{Error, Result};

/// A file that was read.
#[derive(Clone, Debug)]
pub struct SourceFile {
    /// Its path, from the folder that was named.
    pub path: PathBuf,
    /// Its paths, literals and names.
    pub uses: Uses,
}

/// Reads all files that some of a package's compile, with these features besides its default ones; reported paths are relative
/// to `base`. Also returns the files that cannot be parsed, for which the compiler will have a better error.
///
/// # Errors
/// When a file cannot be read.
pub fn files<'p>(
    package: &Package,
    entries: impl IntoIterator<Item = &'p Path>,
    base: &Path,
    features: &[String],
) -> Result<(Vec<SourceFile>, Vec<PathBuf>)> {
    read(entries, base, &package.features_with(features))
}

fn read<'p>(
    entries: impl IntoIterator<Item = &'p Path>,
    base: &Path,
    features: &BTreeSet<String>,
) -> Result<(Vec<SourceFile>, Vec<PathBuf>)> {
    let mut waiting: VecDeque<PathBuf> = entries.into_iter().map(Path::to_owned).collect();
    let entries: BTreeSet<PathBuf> = waiting.iter().cloned().collect();
    let mut visited = entries.clone();
    let (mut read, mut unreadable) = (Vec::new(), Vec::new());
    while let Some(path) = waiting.pop_front() {
        let text = std::fs::read_to_string(&path)
            .map_err(|error| Error::file(format!("cannot read `{}`", path.display()), &error))?;
        let shown = path.strip_prefix(base).unwrap_or(&path).to_owned();
        let Ok(uses) = source::uses(&text, features) else {
            unreadable.push(shown);
            continue;
        };
        let home = home(&path, entries.contains(&path));
        let modules = uses.modules.iter().filter_map(|module| file_of(&home, module));
        waiting.extend(modules.filter(|path| visited.insert(path.clone())));
        read.push(SourceFile { path: shown, uses });
    }
    Ok((read, unreadable))
}

/// The folder that the modules of a file are in.
/// <https://doc.rust-lang.org/reference/items/modules.html#module-source-filenames>
fn home(path: &Path, is_entry: bool) -> PathBuf {
    let folder = path.parent().unwrap_or(Path::new("."));
    match path.file_stem() {
        Some(stem) if !is_entry && stem != "mod" => folder.join(stem),
        _ => folder.to_owned(),
    }
}

/// None where an attribute names another file.
fn file_of(home: &Path, module: &[String]) -> Option<PathBuf> {
    let path: PathBuf = std::iter::once(home.to_owned())
        .chain(module.iter().map(PathBuf::from))
        .collect();
    [path.with_extension("rs"), path.join("mod.rs")]
        .into_iter()
        .find(|path| path.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn modules_are_followed_where_a_guest_compiles_them() {
        let folder = tempfile::tempdir().unwrap();
        let source = folder.path().join("src");
        for (path, text) in [
            (
                "main.rs",
                "mod web;\nmod store;\n#[cfg(test)]\nmod tests;\nfn main() {}",
            ),
            ("web.rs", "mod route;\nmod inner { mod deep; }"),
            ("web/route.rs", "fn x() {}"),
            ("web/inner/deep.rs", "fn x() {}"),
            ("store/mod.rs", "mod table;"),
            ("store/table.rs", "fn \"no Rust"),
            ("tests.rs", "fn x() {}"),
        ] {
            let path = source.join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        let package: Package = serde_json::from_value(json!({
            "name": "shop", "manifest_path": folder.path().join("Cargo.toml"), "dependencies": [],
            "targets": [{"name": "shop", "kind": ["bin"], "src_path": source.join("main.rs")},
                {"name": "x", "kind": ["test"], "src_path": "/nowhere"}],
        }))
        .unwrap();
        let (read, unreadable) = files(&package, package.module_sources(), folder.path(), &[]).unwrap();
        let mut paths: Vec<String> = read.iter().map(|file| file.path.display().to_string()).collect();
        paths.sort();
        assert_eq!(
            paths,
            [
                "src/main.rs",
                "src/store/mod.rs",
                "src/web.rs",
                "src/web/inner/deep.rs",
                "src/web/route.rs"
            ]
        );
        assert_eq!(unreadable, [Path::new("src/store/table.rs")]);
    }
}
