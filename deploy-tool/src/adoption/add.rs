//! Edge: adds missing files to a crate. Existing files are not changed; if one cannot be written, those before it are removed.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use super::cargo_manifest::CargoManifest;
use super::manifests;
use super::survey::Survey;
use crate::project::{Template, template};
use diagnostics::{Error, Result};
use host::atomic_file;

const WORKFLOW: &str = ".github/workflows/ci.yml";
const IGNORED: &str = ".gitignore";

/// The files that a crate lacks, and notes about omitted ones.
#[derive(Debug, Default)]
pub struct MissingFiles {
    /// Path from the package's folder, and text.
    pub files: Vec<(String, String)>,
    /// Notes about omitted files, one sentence each.
    pub notes: Vec<String>,
}

/// Finds the files that a crate lacks.
///
/// # Errors
/// When its folders cannot be read.
pub fn find_missing(survey: &Survey) -> Result<MissingFiles> {
    let folder = &survey.folder;
    let mut missing = MissingFiles::default();
    let image = image(survey);
    let own = manifests::manifests(&survey.name, &image, &survey.facts);
    let others = other_manifests(folder, &own)?;
    match others.as_slice() {
        [] => missing.files.extend(own),
        [first, ..] => missing.notes.push(format!(
            "manifests/ has files of its own, such as {first}: none is added; its Deployment names the image as \
             `deploy-tool://{image}`"
        )),
    }
    if needs_definition(survey) {
        let text = format!("package: {}\n", survey.package);
        missing.files.push((format!("oci/{image}/image.yaml"), text));
    }
    let new = template::files(Template::Service, &survey.name, false);
    let of_template = |path: &str| new.iter().find(|(known, _)| known == path).cloned();
    // Where a repository begins, and only there.
    match repository(folder) {
        Some(root) if root != *folder => {
            if !root.join(".github/workflows").is_dir() {
                missing.notes.push(format!(
                    "the workflow belongs into the repository's folder, {}: none is added",
                    root.display()
                ));
            }
        }
        _ => {
            if !folder.join(".github/workflows").is_dir() {
                missing.files.extend(of_template(WORKFLOW));
            }
            missing.files.extend(of_template(IGNORED));
        }
    }
    missing.files.retain(|(path, _)| !folder.join(path).exists());
    Ok(missing)
}

/// What stands behind `deploy-tool://`.
fn image(survey: &Survey) -> String {
    if has_image_name(&survey.package) {
        survey.package.clone()
    } else {
        survey.name.as_str().to_owned()
    }
}

/// Whether the name of a package is one that an image can have.
fn has_image_name(package: &str) -> bool {
    !package.bytes().any(|byte| byte.is_ascii_uppercase())
}

/// Without a folder of definitions, a package is one by itself.
fn needs_definition(survey: &Survey) -> bool {
    !has_image_name(&survey.package) || survey.folder.join("oci").is_dir()
}

/// The manifests that are not those that would be added.
fn other_manifests(folder: &Path, own: &[(String, String)]) -> Result<Vec<String>> {
    let path = folder.join("manifests");
    let failure = |error| Error::file(format!("cannot read the folder `{}`", path.display()), &error);
    let entries = match fs::read_dir(&path) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(failure(error)),
    };
    let mut others = Vec::new();
    for entry in entries {
        let name = entry.map_err(failure)?.file_name().to_string_lossy().into_owned();
        let is_manifest = [".yaml", ".yml", ".json"].iter().any(|ending| name.ends_with(ending));
        if is_manifest && !own.iter().any(|(path, _)| *path == format!("manifests/{name}")) {
            others.push(name);
        }
    }
    others.sort();
    Ok(others)
}

/// The folder of the repository that a folder is in.
fn repository(folder: &Path) -> Option<PathBuf> {
    let mut folders = folder.ancestors();
    folders.find(|folder| folder.join(".git").exists()).map(Path::to_owned)
}

/// Adds files: all of them, or none.
///
/// # Errors
/// When one cannot be written, or exists.
pub fn add(folder: &Path, files: &[(String, String)]) -> Result<()> {
    let (mut written, mut made) = (Vec::new(), Vec::new());
    for (path, text) in files {
        let path = folder.join(path);
        if let Err(error) = write(&path, text, &mut written, &mut made) {
            // What cannot be removed either is named by the error below: its folder takes nothing.
            for path in &written {
                let _ = fs::remove_file(path);
            }
            for folder in made.iter().rev() {
                let _ = fs::remove_dir(folder);
            }
            return Err(Error::file(
                format!("cannot write `{}`: nothing is added", path.display()),
                &error,
            ));
        }
    }
    Ok(())
}

fn write(path: &Path, text: &str, written: &mut Vec<PathBuf>, made: &mut Vec<PathBuf>) -> std::io::Result<()> {
    let missing = path.ancestors().skip(1).take_while(|folder| !folder.exists());
    let missing: Vec<PathBuf> = missing.map(Path::to_owned).collect();
    for folder in missing.into_iter().rev() {
        fs::create_dir(&folder)?;
        made.push(folder);
    }
    let mut file = fs::File::create_new(path)?;
    written.push(path.to_owned());
    file.write_all(text.as_bytes())
}

/// Replaces manifests by their other texts: all of them, or none.
///
/// # Errors
/// When one cannot be written; then all are as they were.
pub fn replace<'m>(manifests: impl IntoIterator<Item = &'m CargoManifest>) -> Result<()> {
    let mut replaced: Vec<&CargoManifest> = Vec::new();
    for manifest in manifests {
        if let Err(error) = replace_one(&manifest.path, &manifest.after) {
            // The error below is the first one: what cannot be put back either is in the same trouble.
            for manifest in replaced {
                let _ = replace_one(&manifest.path, &manifest.before);
            }
            return Err(Error::file(
                format!("cannot change `{}`", manifest.path.display()),
                &error,
            ));
        }
        replaced.push(manifest);
    }
    Ok(())
}

fn replace_one(path: &Path, text: &str) -> std::io::Result<()> {
    fs::metadata(path).and_then(|_| atomic_file::replace(path, text.as_bytes(), 0o644))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_files_or_none() {
        let home = tempfile::tempdir().unwrap();
        let file = |path: &str| (path.to_owned(), "text".to_owned());
        fs::write(home.path().join("taken"), "own").unwrap();
        let failure = add(home.path(), &[file("a/b/c"), file("d"), file("taken")]).unwrap_err();
        assert!(failure.to_string().contains("nothing is added"), "{failure}");
        let left: Vec<_> = fs::read_dir(home.path()).unwrap().collect();
        assert_eq!(left.len(), 1);
        assert_eq!(fs::read_to_string(home.path().join("taken")).unwrap(), "own");
        add(home.path(), &[file("a/b/c"), file("d")]).unwrap();
        assert_eq!(fs::read_to_string(home.path().join("a/b/c")).unwrap(), "text");
    }

    #[test]
    fn all_manifests_or_none() {
        let home = tempfile::tempdir().unwrap();
        let manifest = |name: &str| CargoManifest {
            package: name.to_owned(),
            path: home.path().join(name),
            before: "before".to_owned(),
            after: "after".to_owned(),
        };
        fs::write(home.path().join("a"), "before").unwrap();
        let text = || fs::read_to_string(home.path().join("a")).unwrap();
        let failure = replace(&[manifest("a"), manifest("missing")]).unwrap_err();
        assert!(failure.to_string().contains("missing"), "{failure}");
        assert_eq!(text(), "before");
        replace(&[manifest("a")]).unwrap();
        assert_eq!(text(), "after");
    }
}
