//! Edge: installs the engine's files on the node: copies them into a staging folder, checks them, renames the folder.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{ErrorKind, Seek};
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, RenameFlags, renameat_with};
use rustix::io::Errno;

use crate::host::{self, checksum, file_error, sync_parent};
use crate::payload::{Engine, Source};
use crate::report::InstallError;
use node_protocol::number::ENGINE;

/// SHA-256 of files, and the targets of links, by their paths.
pub type Checksums = BTreeMap<String, String>;

/// Installs the engine in a folder. Returns the checksums, and whether anything had to be copied.
///
/// # Errors
/// When a file cannot be written, or the checksums differ after the copy.
pub fn install_files(engine: &Engine, folder: &Path) -> Result<(Checksums, bool), InstallError> {
    let wanted = engine_checksums(engine)?;
    if folder_checksums(folder)? == wanted {
        return Ok((wanted, false));
    }
    let (staging, previous) = (hidden_sibling(folder, "new"), hidden_sibling(folder, "old"));
    host::remove_folder(&staging)?;
    host::remove_folder(&previous)?;
    if let Err(error) = copy_files(engine, &staging) {
        host::remove_folder(&staging)?;
        return Err(error);
    }
    if folder_checksums(&staging)? != wanted {
        host::remove_folder(&staging)?;
        return Err(InstallError::new(
            ENGINE,
            "the engine's files are not on the node as they are in the image",
        )
        .cause("their checksums differ after they were copied")
        .hint("look for a failing disk; the kernel's log on the node says more"));
    }
    swap_folder(&staging, folder, &previous).map_err(|error| file_error("move the engine to", folder, error))?;
    host::remove_folder(&staging)?;
    host::remove_folder(&previous)?;
    Ok((wanted, true))
}

/// Moves a folder to another path. A folder that is there is swapped into `from`, or moved to `previous`; running processes
/// keep its files open.
fn swap_folder(from: &Path, to: &Path, previous: &Path) -> std::io::Result<()> {
    if to.exists() {
        // An exchange is atomic: a container that is started meanwhile finds one of the two.
        match renameat_with(CWD, from, CWD, to, RenameFlags::EXCHANGE) {
            Ok(()) => return sync_parent(to),
            Err(Errno::INVAL | Errno::NOSYS) => fs::rename(to, previous)?,
            Err(error) => return Err(error.into()),
        }
    }
    fs::rename(from, to)?;
    sync_parent(to)
}

/// Lists the installed versions in a folder. Staging folders are skipped by their leading dot, staging files by their suffix.
///
/// # Errors
/// When it cannot be read.
pub fn list_versions(folder: &Path) -> Result<Vec<String>, InstallError> {
    let listed = || -> std::io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let is_temporary = name.starts_with('.') || name.ends_with(host::STAGING_SUFFIX);
            if entry.file_type()?.is_dir() && !is_temporary {
                names.push(name);
            }
        }
        names.sort();
        Ok(names)
    };
    match listed() {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
        names => names.map_err(|error| file_error("read", folder, error)),
    }
}

/// The path of a hidden folder beside another one, for staging.
fn hidden_sibling(folder: &Path, suffix: &str) -> PathBuf {
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    folder.with_file_name(format!(".{name}.{suffix}"))
}

/// The checksums of an engine in the image.
///
/// # Errors
/// When it cannot be read.
pub fn engine_checksums(engine: &Engine) -> Result<Checksums, InstallError> {
    let mut checksums = Checksums::new();
    for (path, source) in &engine.files {
        let hash = match source {
            Source::File(file) => (&*file).rewind().and_then(|()| checksum(file)),
            Source::Link(target) => Ok(describe_link(target)),
        };
        let hash = hash.map_err(|error| file_error("read the image's", path, error))?;
        checksums.insert(path.display().to_string(), hash);
    }
    Ok(checksums)
}

fn copy_files(engine: &Engine, folder: &Path) -> Result<(), InstallError> {
    for (path, source) in &engine.files {
        let target_path = folder.join(path);
        let copied = || -> std::io::Result<()> {
            fs::create_dir_all(target_path.parent().unwrap_or(folder))?;
            match source {
                Source::Link(target) => std::os::unix::fs::symlink(target, &target_path),
                Source::File(from) => {
                    let mut from = from;
                    let mut to = File::create(&target_path)?;
                    from.rewind()?;
                    std::io::copy(&mut from, &mut to)?;
                    to.set_permissions(from.metadata()?.permissions())?;
                    to.sync_all()
                }
            }
        };
        copied().map_err(|error| file_error("write", &target_path, error))?;
    }
    sync_folders(folder).map_err(|error| file_error("write", folder, error))
}

/// fsync of all folders: without it, the entries of the files can be lost at a power failure.
fn sync_folders(folder: &Path) -> std::io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            sync_folders(&entry.path())?;
        }
    }
    File::open(folder)?.sync_all()
}

/// The checksums of the files in a folder; none where it does not exist.
///
/// # Errors
/// When it cannot be read.
pub fn folder_checksums(folder: &Path) -> Result<Checksums, InstallError> {
    let mut checksums = Checksums::new();
    if folder.exists() {
        collect_checksums(folder, Path::new(""), &mut checksums).map_err(|error| file_error("read", folder, error))?;
    }
    Ok(checksums)
}

fn collect_checksums(root: &Path, subfolder: &Path, checksums: &mut Checksums) -> std::io::Result<()> {
    for entry in fs::read_dir(root.join(subfolder))? {
        let entry = entry?;
        let path = subfolder.join(entry.file_name());
        let kind = entry.file_type()?;
        if kind.is_dir() {
            collect_checksums(root, &path, checksums)?;
            continue;
        }
        let hash = if kind.is_symlink() {
            describe_link(&fs::read_link(entry.path())?)
        } else {
            checksum(File::open(entry.path())?)?
        };
        checksums.insert(path.display().to_string(), hash);
    }
    Ok(())
}

fn describe_link(target: &Path) -> String {
    format!("-> {}", target.display())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn engine(folder: &Path) -> Engine {
        fs::write(folder.join("crun"), "program").unwrap();
        fs::set_permissions(folder.join("crun"), fs::Permissions::from_mode(0o755)).unwrap();
        let file = File::open(folder.join("crun")).unwrap();
        Engine {
            version: "1".into(),
            files: [
                ("bin/crun".into(), Source::File(file)),
                ("lib/a.so".into(), Source::Link("a.so.1".into())),
            ]
            .into(),
        }
    }

    #[test]
    fn files_are_copied_once_and_repaired_when_they_are_damaged() {
        let folder = tempfile::tempdir().unwrap();
        let (engine, target_path) = (engine(folder.path()), folder.path().join("opt/1"));
        let (first, copied) = install_files(&engine, &target_path).unwrap();
        assert!(copied && first.len() == 2);
        assert_eq!(install_files(&engine, &target_path).unwrap(), (first.clone(), false));
        assert_eq!(
            fs::metadata(target_path.join("bin/crun")).unwrap().permissions().mode() & 0o777,
            0o755
        );
        for damage in ["bin/crun", "lib/more"] {
            fs::write(target_path.join(damage), "damaged").unwrap();
            assert_eq!(
                install_files(&engine, &target_path).unwrap(),
                (first.clone(), true),
                "{damage}"
            );
        }
        assert_eq!(fs::read(target_path.join("bin/crun")).unwrap(), b"program");
        // What a run that was cut off has left is in nobody's way, and nothing else is left.
        fs::create_dir_all(folder.path().join("opt/.1.new/x")).unwrap();
        fs::remove_file(target_path.join("lib/a.so")).unwrap();
        assert!(install_files(&engine, &target_path).unwrap().1);
        assert_eq!(fs::read_dir(folder.path().join("opt")).unwrap().count(), 1);
        fs::create_dir(folder.path().join("opt/.2.new")).unwrap();
        assert_eq!(list_versions(&folder.path().join("opt")).unwrap(), ["1"]);
        assert_eq!(list_versions(&folder.path().join("none")).unwrap(), [""; 0]);
    }
}
