//! Edge: the engine's files on the node: copied beside their place, checked, moved.

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

/// SHA-256 of files, by their paths; of links, where they lead to.
pub type Sums = BTreeMap<String, String>;

/// Brings the engine into a folder. Returns the checksums, and whether anything was to be copied.
///
/// # Errors
/// When the node does not take the files, or has others afterwards.
pub fn install(engine: &Engine, folder: &Path) -> Result<(Sums, bool), InstallError> {
    let wanted = sums_of(engine)?;
    if sums(folder)? == wanted {
        return Ok((wanted, false));
    }
    let (beside, old) = (hidden(folder, "new"), hidden(folder, "old"));
    host::remove_folder(&beside)?;
    host::remove_folder(&old)?;
    if let Err(trouble) = copy(engine, &beside) {
        host::remove_folder(&beside)?;
        return Err(trouble);
    }
    if sums(&beside)? != wanted {
        host::remove_folder(&beside)?;
        return Err(InstallError::new(
            ENGINE,
            "the engine's files are not on the node as they are in the image",
        )
        .cause("their checksums differ after they were copied")
        .hint("look for a failing disk; the kernel's log on the node says more"));
    }
    swap(&beside, folder, &old).map_err(|error| file_error("move the engine to", folder, error))?;
    host::remove_folder(&beside)?;
    host::remove_folder(&old)?;
    Ok((wanted, true))
}

/// Moves a folder to a place; what was there is in one of the two others afterwards. What runs has its files open, and keeps
/// them.
fn swap(from: &Path, to: &Path, old: &Path) -> std::io::Result<()> {
    if to.exists() {
        // At no time is there none: a container may be started meanwhile.
        match renameat_with(CWD, from, CWD, to, RenameFlags::EXCHANGE) {
            Ok(()) => return sync_parent(to),
            Err(Errno::INVAL | Errno::NOSYS) => fs::rename(to, old)?,
            Err(error) => return Err(error.into()),
        }
    }
    fs::rename(from, to)?;
    sync_parent(to)
}

/// The versions in a folder: what is copied at the moment has a name that begins with a dot, and what is written another end.
///
/// # Errors
/// When it cannot be read.
pub fn versions(folder: &Path) -> Result<Vec<String>, InstallError> {
    let listed = || -> std::io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let is_passing = name.starts_with('.') || name.ends_with(host::BESIDE);
            if entry.file_type()?.is_dir() && !is_passing {
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

/// A folder beside another one, for a short time.
fn hidden(folder: &Path, suffix: &str) -> PathBuf {
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    folder.with_file_name(format!(".{name}.{suffix}"))
}

/// The checksums of an engine in the image.
///
/// # Errors
/// When it cannot be read.
pub fn sums_of(engine: &Engine) -> Result<Sums, InstallError> {
    let mut sums = Sums::new();
    for (path, source) in &engine.files {
        let sum = match source {
            Source::File(file) => (&*file).rewind().and_then(|()| checksum(file)),
            Source::Link(target) => Ok(link(target)),
        };
        let sum = sum.map_err(|error| file_error("read the image's", path, error))?;
        sums.insert(path.display().to_string(), sum);
    }
    Ok(sums)
}

fn copy(engine: &Engine, folder: &Path) -> Result<(), InstallError> {
    for (path, source) in &engine.files {
        let place = folder.join(path);
        let copied = || -> std::io::Result<()> {
            fs::create_dir_all(place.parent().unwrap_or(folder))?;
            match source {
                Source::Link(target) => std::os::unix::fs::symlink(target, &place),
                Source::File(from) => {
                    let mut from = from;
                    let mut to = File::create(&place)?;
                    from.rewind()?;
                    std::io::copy(&mut from, &mut to)?;
                    to.set_permissions(from.metadata()?.permissions())?;
                    to.sync_all()
                }
            }
        };
        copied().map_err(|error| file_error("write", &place, error))?;
    }
    sync_folders(folder).map_err(|error| file_error("write", folder, error))
}

/// A file that is written to the disk is found there after a loss of power once its folder is, too.
fn sync_folders(folder: &Path) -> std::io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            sync_folders(&entry.path())?;
        }
    }
    File::open(folder)?.sync_all()
}

/// The checksums of what is in a folder; none where it is not there.
///
/// # Errors
/// When it cannot be read.
pub fn sums(folder: &Path) -> Result<Sums, InstallError> {
    let mut sums = Sums::new();
    if folder.exists() {
        collect(folder, Path::new(""), &mut sums).map_err(|error| file_error("read", folder, error))?;
    }
    Ok(sums)
}

fn collect(root: &Path, below: &Path, sums: &mut Sums) -> std::io::Result<()> {
    for entry in fs::read_dir(root.join(below))? {
        let entry = entry?;
        let path = below.join(entry.file_name());
        let kind = entry.file_type()?;
        if kind.is_dir() {
            collect(root, &path, sums)?;
            continue;
        }
        let sum = match kind.is_symlink() {
            true => link(&fs::read_link(entry.path())?),
            false => checksum(File::open(entry.path())?)?,
        };
        sums.insert(path.display().to_string(), sum);
    }
    Ok(())
}

fn link(target: &Path) -> String {
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
    fn files_are_copied_once_and_mended_when_they_are_damaged() {
        let folder = tempfile::tempdir().unwrap();
        let (engine, place) = (engine(folder.path()), folder.path().join("opt/1"));
        let (first, copied) = install(&engine, &place).unwrap();
        assert!(copied && first.len() == 2);
        assert_eq!(install(&engine, &place).unwrap(), (first.clone(), false));
        assert_eq!(
            fs::metadata(place.join("bin/crun")).unwrap().permissions().mode() & 0o777,
            0o755
        );
        for damage in ["bin/crun", "lib/more"] {
            fs::write(place.join(damage), "damaged").unwrap();
            assert_eq!(install(&engine, &place).unwrap(), (first.clone(), true), "{damage}");
        }
        assert_eq!(fs::read(place.join("bin/crun")).unwrap(), b"program");
        // What a run that was cut off has left is in nobody's way, and nothing else is left.
        fs::create_dir_all(folder.path().join("opt/.1.new/x")).unwrap();
        fs::remove_file(place.join("lib/a.so")).unwrap();
        assert!(install(&engine, &place).unwrap().1);
        assert_eq!(fs::read_dir(folder.path().join("opt")).unwrap().count(), 1);
        fs::create_dir(folder.path().join("opt/.2.new")).unwrap();
        assert_eq!(versions(&folder.path().join("opt")).unwrap(), ["1"]);
        assert_eq!(versions(&folder.path().join("none")).unwrap(), [""; 0]);
    }
}
