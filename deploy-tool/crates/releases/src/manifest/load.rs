//! Edge: reads the manifests that the arguments name.

use std::io::Read;
use std::path::{Path, PathBuf};

use super::object::{Object, parse};
use crate::release::Name;
use diagnostics::{Failure, Outcome};

/// The argument that stands for the standard input.
const STANDARD_INPUT: &str = "-";
/// How manifests' files end. JSON is YAML too.
const EXTENSIONS: [&str; 3] = ["yaml", "yml", "json"];

/// Reads all objects of some files and folders, a folder's files in the order of their names.
///
/// # Errors
/// When one of them cannot be read, is no manifest, or one object is there twice.
pub fn load(paths: &[PathBuf]) -> Outcome<Vec<Object>> {
    let mut objects = Vec::new();
    for path in paths {
        if path.as_os_str() == STANDARD_INPUT {
            let mut text = String::new();
            std::io::stdin()
                .read_to_string(&mut text)
                .map_err(|error| unreadable(path, &error))?;
            objects.extend(objects_of("standard input", &text)?);
            continue;
        }
        for file in files(path)? {
            let text = std::fs::read_to_string(&file).map_err(|error| unreadable(&file, &error))?;
            objects.extend(objects_of(&file.display().to_string(), &text)?);
        }
    }
    if objects.is_empty() {
        let places: Vec<String> = paths.iter().map(|path| format!("`{}`", path.display())).collect();
        return Err(
            Failure::input(format!("there are no manifests in {}", places.join(", ")))
                .next("name the YAML files, or their folder, with --manifests (-f)"),
        );
    }
    refuse_twins(&objects)?;
    Ok(objects)
}

/// The release that the arguments mean. The manifests are asked only for what the arguments leave open, and only when
/// they are there: `status` works without them.
///
/// # Errors
/// When the manifests are there and cannot be used, or do not say where the release is.
pub fn release_of(namespace: Option<&str>, release: Option<&str>, manifests: &[PathBuf]) -> Outcome<Name> {
    let readable = |path: &PathBuf| path.as_os_str() != STANDARD_INPUT && path.exists();
    let objects = match namespace {
        None if manifests.iter().all(readable) => load(manifests)?,
        _ => Vec::new(),
    };
    Name::new(namespace, release, &objects)
}

/// A file stands for itself, a folder for the manifests in it; what lies deeper is left out.
fn files(path: &Path) -> Outcome<Vec<PathBuf>> {
    if !path.is_dir() {
        return Ok(vec![path.to_path_buf()]);
    }
    let entries = std::fs::read_dir(path).and_then(|entries| {
        entries
            .map(|entry| entry.map(|entry| entry.path()))
            .collect::<Result<Vec<_>, _>>()
    });
    let mut files = entries.map_err(|error| unreadable(path, &error))?;
    files.retain(|path| {
        let extension = path.extension().and_then(|extension| extension.to_str());
        extension.is_some_and(|extension| EXTENSIONS.contains(&extension))
    });
    files.sort();
    Ok(files)
}

fn objects_of(file: &str, text: &str) -> Outcome<Vec<Object>> {
    parse(file, text).map_err(|error| Failure::input(format!("the manifest `{file}` cannot be used")).because(error))
}

fn unreadable(path: &Path, error: &std::io::Error) -> Failure {
    Failure::input(format!("cannot read the manifests in `{}`", path.display()))
        .because(error)
        .next("run this in the project's folder, or name files and folders with --manifests (-f)")
}

fn refuse_twins(objects: &[Object]) -> Outcome<()> {
    let mut seen = std::collections::HashMap::new();
    for object in objects {
        if let Some(first) = seen.insert(object.identity(), object.place()) {
            return Err(Failure::input(format!("{} is there twice", object.title()))
                .because(format!("{first} and {} both define it", object.place())));
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
        let cases = [
            (
                folder(&[("a.yaml", "apiVersion: v1\nkind: [\n")]),
                "a.yaml` cannot be used",
            ),
            (
                folder(&[("a.yaml", OBJECT), ("b.yaml", OBJECT)]),
                "b.yaml:1 both define it",
            ),
            (folder(&[]), "there are no manifests"),
        ];
        for (folder, expected) in cases {
            let failure = load(&[folder.path().to_path_buf()]).unwrap_err();
            assert!(failure.to_string().contains(expected), "{failure}");
            assert_eq!(failure.status, diagnostics::ExitStatus::Input);
        }
        assert!(
            load(&["/no/such/folder".into()])
                .unwrap_err()
                .to_string()
                .contains("--manifests")
        );
    }
}
