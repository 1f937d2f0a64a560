//! Edge: reads the YAML files of a folder, in the order of their names.

use std::path::Path;

use super::object::{Object, parse};
use crate::failure::{Failure, Outcome};

/// Reads all objects of a folder.
///
/// # Errors
/// When the folder or a file cannot be read, a file is no manifest, or one object is there twice.
pub fn load(folder: &Path) -> Outcome<Vec<Object>> {
    let unreadable = |error| {
        Failure::input(format!("cannot read the manifests in `{}`", folder.display()))
            .because(error)
            .next("run this in the project's folder, or name the folder with --manifests")
    };
    let mut files = std::fs::read_dir(folder)
        .and_then(|entries| {
            entries
                .map(|entry| entry.map(|entry| entry.path()))
                .collect::<Result<Vec<_>, _>>()
        })
        .map_err(unreadable)?;
    files.retain(|path| {
        path.extension()
            .is_some_and(|extension| extension == "yaml" || extension == "yml")
    });
    files.sort();
    let mut objects = Vec::new();
    for path in &files {
        let text = std::fs::read_to_string(path).map_err(unreadable)?;
        let file = path.display().to_string();
        let found = parse(&file, &text)
            .map_err(|error| Failure::input(format!("the manifest `{file}` cannot be used")).because(error))?;
        objects.extend(found);
    }
    if objects.is_empty() {
        return Err(
            Failure::input(format!("there are no manifests in `{}`", folder.display()))
                .next("name the folder of the YAML files with --manifests"),
        );
    }
    refuse_twins(&objects)?;
    Ok(objects)
}

fn refuse_twins(objects: &[Object]) -> Outcome<()> {
    let mut seen = std::collections::HashMap::new();
    for object in objects {
        let identity = (
            object.group_version_kind().group,
            object.kind(),
            object.namespace(),
            object.name(),
        );
        if let Some(first) = seen.insert(identity, object.place()) {
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
        assert_eq!(load(folder.path()).unwrap().len(), 1);
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
            let failure = load(folder.path()).unwrap_err();
            assert!(failure.to_string().contains(expected), "{failure}");
            assert_eq!(failure.status, crate::failure::ExitStatus::Input);
        }
        assert!(
            load(Path::new("/no/such/folder"))
                .unwrap_err()
                .to_string()
                .contains("--manifests")
        );
    }
}
