//! Edge: puts the files of a new project into a folder: all of them, or none.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use diagnostics::{Error, Result};

use super::ProjectName;
use super::template::{self, Template};

/// A project that was created.
#[derive(Debug, PartialEq, Eq)]
pub struct Created {
    /// Its folder.
    pub folder: PathBuf,
    /// Its files, from there.
    pub files: Vec<String>,
    /// The manifest of the Cargo workspace that takes it in as a member.
    pub member_of: Option<PathBuf>,
}

/// Creates a project in a folder that is empty or not there.
///
/// # Errors
/// When the folder has files, or cannot be written. Then nothing is left in it.
pub fn create(folder: &Path, name: &ProjectName, template: Template) -> Result<Created> {
    let failure = |error| Error::file(format!("cannot create the project `{}`", folder.display()), &error);
    refuse_files(folder)?;
    let parent = parent(folder);
    fs::create_dir_all(&parent).map_err(failure)?;
    // Beside the folder, so that it can be renamed; removed with its value.
    let scratch = tempfile::Builder::new()
        .prefix(".deploy-tool-new-")
        .tempdir_in(&parent)
        .map_err(failure)?;
    let member_of = workspace_that_takes(&parent, scratch.path(), name).map_err(failure)?;
    let files = template::files(template, name, member_of.is_some());
    write(scratch.path(), &files).map_err(failure)?;
    if folder.is_dir() {
        move_entries(scratch.path(), folder).map_err(failure)?;
    } else {
        // The folder of the scratch value is its owner's alone.
        fs::set_permissions(scratch.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755)).map_err(failure)?;
        fs::rename(scratch.path(), folder).map_err(failure)?;
    }
    Ok(Created {
        folder: folder.to_owned(),
        files: files.into_iter().map(|(path, _)| path).collect(),
        member_of,
    })
}

/// The folder that a folder is in; `.` for a name alone.
fn parent(folder: &Path) -> PathBuf {
    match folder.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        Some(_) => PathBuf::from("."),
        None => folder.to_owned(),
    }
}

const ELSEWHERE: &str = "name a folder that is not there: deploy-tool new greeter";

/// Hidden files, such as a repository's, may be there.
fn refuse_files(folder: &Path) -> Result<()> {
    const NAMED: usize = 5;
    // The folder itself, or one that it would be in.
    if let Some(file) = folder.ancestors().find(|path| path.is_file()) {
        return Err(Error::input(format!("`{}` is a file", file.display())).hint(ELSEWHERE));
    }
    if !folder.exists() {
        return Ok(());
    }
    let message = format!("`{}` exists", folder.display());
    let entries = fs::read_dir(folder).map_err(|error| Error::file(&message, &error))?;
    let mut names: Vec<String> = entries
        .filter_map(Result::ok)
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .filter(|name| !name.starts_with('.') || name == ".github" || name == ".gitignore")
        .collect();
    if names.is_empty() {
        return Ok(());
    }
    names.sort();
    let more = names.len().saturating_sub(NAMED);
    names.truncate(NAMED);
    let more = if more > 0 {
        format!(" and {more} more")
    } else {
        String::new()
    };
    Err(Error::input(format!("`{}` is not empty", folder.display()))
        .cause(format!("it has {}{more}", names.join(", ")))
        .hint(ELSEWHERE))
}

fn write(folder: &Path, files: &[(String, String)]) -> std::io::Result<()> {
    for (path, text) in files {
        let path = folder.join(path);
        fs::create_dir_all(self::parent(&path))?;
        fs::write(path, text)?;
    }
    Ok(())
}

/// Moves all entries of a folder into another one; moves them back if one of them cannot be moved.
fn move_entries(from: &Path, to: &Path) -> std::io::Result<()> {
    let mut moved = Vec::new();
    for entry in fs::read_dir(from)? {
        let name = entry?.file_name();
        if let Err(error) = fs::rename(from.join(&name), to.join(&name)) {
            for name in moved {
                fs::rename(to.join(&name), from.join(&name))?;
            }
            return Err(error);
        }
        moved.push(name);
    }
    Ok(())
}

/// The workspace above whose members take a package in this place in: Cargo itself is asked, with a package that is there for
/// that only. Without Cargo there is none.
fn workspace_that_takes(parent: &Path, scratch: &Path, name: &ProjectName) -> std::io::Result<Option<PathBuf>> {
    let parent = parent.canonicalize()?;
    let is_workspace = |manifest: &PathBuf| {
        fs::read_to_string(manifest).is_ok_and(|text| text.lines().any(|line| line.trim() == "[workspace]"))
    };
    let Some(manifest) = parent
        .ancestors()
        .map(|folder| folder.join("Cargo.toml"))
        .find(is_workspace)
    else {
        return Ok(None);
    };
    write(
        scratch,
        &[
            (
                "Cargo.toml".to_owned(),
                format!("[package]\nname = \"{}\"\n", name.as_str()),
            ),
            ("src/lib.rs".to_owned(), String::new()),
        ],
    )?;
    let status = Command::new("cargo")
        .args(["metadata", "--no-deps", "--offline", "--format-version", "1"])
        .current_dir(scratch)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    fs::remove_dir_all(scratch.join("src"))?;
    Ok(status.is_ok_and(|status| status.success()).then_some(manifest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name() -> ProjectName {
        ProjectName::parse("shop").unwrap()
    }

    fn entries(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }

    const MADE: [&str; 8] = [
        ".github",
        ".gitignore",
        "Cargo.lock",
        "Cargo.toml",
        "README.md",
        "manifests",
        "src",
        "tests",
    ];

    #[test]
    fn a_new_and_an_empty_folder_get_all_files_and_nothing_else_is_left() {
        let home = tempfile::tempdir().unwrap();
        let created = create(&home.path().join("shop"), &name(), Template::Service).unwrap();
        assert_eq!((created.files.len(), created.member_of), (11, None));
        assert_eq!(entries(&created.folder), MADE);

        let repository = home.path().join("in/a/repository");
        fs::create_dir_all(repository.join(".git")).unwrap();
        create(&repository, &name(), Template::Service).unwrap();
        assert_eq!(entries(&repository), [&[".git"][..], &MADE].concat());
        assert_eq!(entries(home.path()), ["in", "shop"]);
        assert_eq!(entries(&home.path().join("in/a")), ["repository"]);
    }

    #[test]
    fn a_folder_with_files_is_refused_and_stays_as_it_is() {
        let home = tempfile::tempdir().unwrap();
        let shop = home.path().join("shop");
        fs::create_dir(&shop).unwrap();
        for number in 1..8 {
            fs::write(shop.join(format!("file-{number}")), "").unwrap();
        }
        let failure = create(&shop, &name(), Template::Service).unwrap_err();
        let text = failure.causes().join("\n");
        assert!(
            text.contains("file-1, file-2, file-3, file-4, file-5 and 2 more"),
            "{text}"
        );
        assert_eq!(entries(&shop).len(), 7);

        fs::write(home.path().join("taken"), "").unwrap();
        for path in ["taken", "taken/a/shop"] {
            let failure = create(&home.path().join(path), &name(), Template::Service).unwrap_err();
            assert!(failure.to_string().contains("taken` is a file"), "{failure}");
        }
        assert_eq!(entries(home.path()), ["shop", "taken"]);
    }

    #[test]
    fn a_workspace_that_takes_the_package_in_keeps_lock_and_profiles() {
        let home = tempfile::tempdir().unwrap();
        fs::write(
            home.path().join("Cargo.toml"),
            "[workspace]\nmembers = [\"services/*\"]\n",
        )
        .unwrap();
        let member = create(&home.path().join("services/shop"), &name(), Template::Service).unwrap();
        let manifest = home.path().canonicalize().unwrap().join("Cargo.toml");
        assert_eq!(member.member_of, Some(manifest));
        assert!(!member.folder.join("Cargo.lock").exists());
        let elsewhere = create(&home.path().join("shop"), &name(), Template::Service).unwrap();
        assert_eq!(elsewhere.member_of, None);
        assert!(elsewhere.folder.join("Cargo.lock").exists());
    }
}
