//! Edge: reads the manifests that the arguments name.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::object::Object;
use super::other_tool;
use super::parse::parse;
use crate::release::Name;
use diagnostics::code::input::{NO_MANIFESTS, NO_YAML, OBJECT_TWICE};
use diagnostics::{Error, Result};
use host::standard_input;

/// The argument that stands for the standard input.
const STANDARD_INPUT: &str = "-";
/// How manifests' files end. JSON is YAML too.
const EXTENSIONS: [&str; 3] = ["yaml", "yml", "json"];

/// Reads all objects of some files and folders, a folder's files in the order of their names.
///
/// # Errors
/// When one of them cannot be read, is no manifest, or one object is there twice.
pub fn load(paths: &[PathBuf]) -> Result<Vec<Object>> {
    let mut objects = Vec::new();
    let mut visited = BTreeSet::new();
    for path in paths {
        if path.as_os_str() == STANDARD_INPUT {
            let bytes = standard_input::read().map_err(|error| unreadable(path, &error))?;
            objects.extend(objects_of("standard input", &bytes)?);
            continue;
        }
        for file in files(path)? {
            let bytes = std::fs::read(&file).map_err(|error| unreadable(&file, &error))?;
            // A file that is named twice, or beside its folder, is there once.
            if visited.insert(file.canonicalize().unwrap_or_else(|_| file.clone())) {
                objects.extend(objects_of(&file.display().to_string(), &bytes)?);
            }
        }
    }
    if objects.is_empty() {
        let places: Vec<String> = paths.iter().map(|path| format!("`{}`", path.display())).collect();
        let failure = Error::input(format!("there are no manifests in {}", places.join(", "))).code(&NO_MANIFESTS);
        let deeper = left_out(paths);
        return Err(if deeper.is_empty() {
            failure.hint("name the YAML files, or their folder, with --manifests (-f)")
        } else {
            failure
                .cause("subfolders are not read unless they are named")
                .hint(format!(
                    "name them: {}; or read all: --recursive (-R)",
                    arguments(&deeper)
                ))
        });
    }
    refuse_duplicates(&objects)?;
    Ok(objects)
}

/// The paths with all folders below them that are not hidden. As for `kubectl apply --recursive`, links are not followed.
///
/// # Errors
/// When a folder cannot be read.
pub fn with_subfolders(paths: &[PathBuf]) -> Result<Vec<PathBuf>> {
    let mut all = Vec::new();
    for path in paths {
        all.push(path.clone());
        if path.is_dir() {
            let entries = entries(path).map_err(|error| unreadable(path, &error))?;
            let subfolders: Vec<PathBuf> = entries
                .into_iter()
                .filter(|entry| entry.is_dir() && !entry.is_symlink() && !is_hidden(entry))
                .collect();
            all.extend(with_subfolders(&subfolders)?);
        }
    }
    Ok(all)
}

fn is_hidden(path: &Path) -> bool {
    path.file_name()
        .is_some_and(|name| name.as_encoded_bytes().starts_with(b"."))
}

/// The subfolders with manifests that are not read, as with kubectl: only named folders are.
pub fn left_out(paths: &[PathBuf]) -> Vec<PathBuf> {
    let named: BTreeSet<PathBuf> = paths.iter().filter_map(|path| path.canonicalize().ok()).collect();
    let is_named = |path: &Path| path.canonicalize().is_ok_and(|path| named.contains(&path));
    let mut found = Vec::new();
    for path in paths.iter().filter(|path| path.is_dir()) {
        let folders = entries(path)
            .unwrap_or_default()
            .into_iter()
            .filter(|path| path.is_dir());
        found.extend(folders.filter(|folder| {
            let has_manifests = || entries(folder).unwrap_or_default().iter().any(|path| is_manifest(path));
            !is_hidden(folder) && !is_named(folder) && has_manifests()
        }));
    }
    found
}

/// Folders as they are named on a command line.
pub fn arguments(folders: &[PathBuf]) -> String {
    let arguments: Vec<String> = folders
        .iter()
        .map(|folder| format!("-f {}", folder.display()))
        .collect();
    arguments.join(" ")
}

/// The release of the arguments. The manifests are only read for what the arguments leave open, and only if they exist:
/// `status` works without them.
///
/// # Errors
/// When the manifests cannot be read, or do not determine the namespace.
pub fn release_of(namespace: Option<&str>, release: Option<&str>, manifests: &[PathBuf]) -> Result<Name> {
    let readable = |path: &PathBuf| path.as_os_str() != STANDARD_INPUT && path.exists();
    let objects = match namespace {
        None if manifests.iter().all(readable) => load(manifests)?,
        _ => Vec::new(),
    };
    Name::new(namespace, release, &objects)
}

/// A file stands for itself, a folder for the manifests in it; what lies deeper is left out.
fn files(path: &Path) -> Result<Vec<PathBuf>> {
    if !path.is_dir() {
        return Ok(vec![path.to_path_buf()]);
    }
    let mut files = entries(path).map_err(|error| unreadable(path, &error))?;
    let names: Vec<&str> = files.iter().filter_map(|file| file.file_name()?.to_str()).collect();
    if let Some(failure) = other_tool::refuse_folder(path, &names) {
        return Err(failure);
    }
    files.retain(|file| is_manifest(file));
    Ok(files)
}

/// The entries of a folder, sorted by name.
fn entries(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path()));
    let mut paths = entries.collect::<Result<Vec<_>, _>>()?;
    paths.sort();
    Ok(paths)
}

fn is_manifest(path: &Path) -> bool {
    let extension = path.extension().and_then(|extension| extension.to_str());
    extension.is_some_and(|extension| EXTENSIONS.contains(&extension)) && !path.is_dir()
}

fn objects_of(file: &str, bytes: &[u8]) -> Result<Vec<Object>> {
    let text = yaml::text(bytes).map_err(|error| {
        Error::input(format!("the manifest `{file}` cannot be used"))
            .code(&NO_YAML)
            .cause(error)
            .hint("save it as UTF-8, or leave it out")
    })?;
    parse(file, &text)
}

fn unreadable(path: &Path, error: &std::io::Error) -> Error {
    Error::input(format!("cannot read the manifests in `{}`", path.display()))
        .code(&NO_MANIFESTS)
        .cause(error)
        .hint("run this in the project's folder, or name files and folders with --manifests (-f)")
}

/// Refuses manifests that have an object twice.
///
/// # Errors
/// When there is one.
pub fn refuse_duplicates(objects: &[Object]) -> Result<()> {
    let mut visited = std::collections::HashMap::new();
    for object in objects {
        if let Some(first) = visited.insert(object.identity(), object.source_location()) {
            return Err(Error::input(format!("{} is there twice", object.title()))
                .code(&OBJECT_TWICE)
                .cause(format!("{first} and {} both define it", object.source_location()))
                .hint("remove one of the two, or give one another name or namespace"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        folder
    }

    const OBJECT: &str = "apiVersion: v1\nkind: Namespace\nmetadata: {name: a}\n";

    #[test]
    fn reads_yaml_files_only() {
        let folder = folder(&[("b.yaml", OBJECT), ("README.md", "no"), ("a.yml", "# empty\n")]);
        assert_eq!(load(&[folder.path().to_path_buf()]).unwrap().len(), 1);
    }

    #[test]
    fn takes_files_lists_and_json() {
        let list = r#"{"apiVersion":"v1","kind":"List","items":[{"apiVersion":"v1","kind":"Secret","metadata":{"name":"s"}}]}"#;
        let folder = folder(&[("a.yaml", OBJECT), ("b.json", list), ("c.yaml", "kind: [")]);
        let files = ["a.yaml", "b.json"].map(|name| folder.path().join(name));
        let kinds: Vec<_> = load(&files)
            .unwrap()
            .iter()
            .map(|object| object.kind().to_owned())
            .collect();
        assert_eq!(kinds, ["Namespace", "Secret"]);
    }

    #[test]
    fn names_file_and_line() {
        let bytes = |name: &str, bytes: &[u8]| {
            let folder = folder(&[]);
            std::fs::write(folder.path().join(name), bytes).unwrap();
            folder
        };
        let deeper = folder(&[]);
        std::fs::create_dir(deeper.path().join("setup")).unwrap();
        std::fs::write(deeper.path().join("setup/a.yaml"), OBJECT).unwrap();
        let cases = [
            (
                folder(&[("a.yaml", "apiVersion: v1\nkind: [\n")]),
                "a.yaml` cannot be used",
                105,
            ),
            (
                folder(&[("a.yaml", OBJECT), ("b.yaml", OBJECT)]),
                "b.yaml:1 both define it",
                108,
            ),
            (folder(&[]), "there are no manifests", 110),
            (deeper, "setup", 110),
            (
                folder(&[("a.yaml", OBJECT), ("kustomization.yml", "")]),
                "`kubectl kustomize /",
                107,
            ),
            (
                folder(&[("a.yaml", OBJECT), ("Kustomization", "")]),
                "`kubectl kustomize /",
                107,
            ),
            (
                folder(&[("Chart.yaml", ""), ("values.yaml", "a: 1\n")]),
                "`helm template NAME /",
                107,
            ),
            (bytes("a.yaml", b"a: \xE9\n"), "line 1, column 4", 105),
            (bytes("a.yaml", b"\x89PNG\0"), "UTF-8", 105),
        ];
        for (folder, expected, number) in cases {
            let failure = load(&[folder.path().to_path_buf()]).unwrap_err();
            assert!(failure.to_string().contains(expected), "{failure}");
            assert_eq!(failure.status, diagnostics::ExitStatus::Input);
            assert_eq!(failure.number().map(|code| code.number), Some(number), "{failure}");
            assert!(!failure.hints().is_empty(), "{failure}");
        }
        assert!(
            load(&["/no/such/folder".into()])
                .unwrap_err()
                .to_string()
                .contains("--manifests")
        );
    }

    #[test]
    fn every_encoding_gives_the_same_objects() {
        let utf16: Vec<u8> = format!("\u{FEFF}{OBJECT}")
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect();
        for bytes in [
            utf16,
            format!("\u{FEFF}{OBJECT}").into_bytes(),
            OBJECT.replace('\n', "\r\n").into_bytes(),
        ] {
            let folder = folder(&[]);
            let file = folder.path().join("a.yaml");
            std::fs::write(&file, bytes).unwrap();
            // Named twice, it is read once.
            let found = load(&[file.clone(), folder.path().to_path_buf()]).unwrap();
            assert_eq!(found.iter().map(Object::title).collect::<Vec<_>>(), ["Namespace `a`"]);
        }
    }

    #[test]
    fn subfolders_are_left_out_and_named() {
        let folder = folder(&[("a.yaml", OBJECT)]);
        for (subfolder, file) in [("setup", "b.yaml"), (".git", "c.yaml"), ("docs", "README.md")] {
            std::fs::create_dir(folder.path().join(subfolder)).unwrap();
            std::fs::write(folder.path().join(subfolder).join(file), OBJECT.replace("a}", "b}")).unwrap();
        }
        let root = folder.path().to_path_buf();
        assert_eq!(load(std::slice::from_ref(&root)).unwrap().len(), 1);
        assert_eq!(left_out(std::slice::from_ref(&root)), [root.join("setup")]);
        assert_eq!(left_out(&[root.clone(), root.join("setup")]), [] as [PathBuf; 0]);
        assert_eq!(load(&[root.clone(), root.join("setup")]).unwrap().len(), 2);
        std::fs::create_dir(root.join("setup/crds")).unwrap();
        std::fs::write(root.join("setup/crds/d.yaml"), OBJECT.replace("a}", "d}")).unwrap();
        let all = with_subfolders(std::slice::from_ref(&root)).unwrap();
        assert_eq!((load(&all).unwrap().len(), left_out(&all).len()), (3, 0));
    }
}
