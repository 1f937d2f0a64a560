//! Edge: the scripts and Dockerfiles of the images, which are embedded in this program: writes them into a folder of the cache
//! that is named by their digest.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::cache::Cache;
use diagnostics::{Error, Result};

/// A file of the repository.
struct File {
    /// From the project's folder.
    path: &'static str,
    is_executable: bool,
    bytes: &'static [u8],
}

/// In the order of their paths.
const FILES: &[File] = include!(concat!(env!("OUT_DIR"), "/recipes.rs"));

/// Unpacks them, unless they are there as they should be. Returns their folder.
///
/// # Errors
/// When the cache cannot be written.
pub(super) fn unpack(cache: &Cache) -> Result<PathBuf> {
    let folder = cache.path(Path::new("recipes").join(&digest(FILES)[..16]))?;
    if !is_whole(&folder) {
        let scratch = cache.scratch("recipes")?;
        let whole = scratch.path.join("whole");
        let write = || -> std::io::Result<()> {
            FILES.iter().try_for_each(|file| write(&whole, file))?;
            // A changed folder is replaced. Another process may have done that in between.
            if let Err(error) = fs::remove_dir_all(&folder)
                && error.kind() != std::io::ErrorKind::NotFound
            {
                return Err(error);
            }
            fs::rename(&whole, &folder).or_else(|error| if is_whole(&folder) { Ok(()) } else { Err(error) })
        };
        write().map_err(|error| Error::file(format!("cannot write the folder `{}`", folder.display()), &error))?;
    }
    Ok(folder)
}

/// A version that `oci/versions` pins.
pub(super) fn pinned_version(name: &str) -> Option<&'static str> {
    let file = FILES.iter().find(|file| file.path == "oci/versions")?;
    let lines = std::str::from_utf8(file.bytes).ok()?.lines();
    lines
        .filter_map(|line| line.split_once('='))
        .find_map(|(pin, version)| (pin == name).then_some(version))
}

fn write(folder: &Path, file: &File) -> std::io::Result<()> {
    let path = folder.join(file.path);
    fs::create_dir_all(path.parent().unwrap_or(folder))?;
    fs::write(&path, file.bytes)?;
    let mode = if file.is_executable { 0o755 } else { 0o644 };
    fs::set_permissions(&path, Permissions::from_mode(mode))
}

/// What clears a cache by age may have taken some of them.
fn is_whole(folder: &Path) -> bool {
    FILES
        .iter()
        .all(|file| fs::read(folder.join(file.path)).is_ok_and(|bytes| bytes == file.bytes))
}

/// The digest of the paths, contents and executable bits.
fn digest(files: &[File]) -> String {
    let mut hasher = Sha256::new();
    for file in files {
        for part in [file.path.as_bytes(), &[u8::from(file.is_executable)], file.bytes] {
            hasher.update((part.len() as u64).to_le_bytes());
            hasher.update(part);
        }
    }
    hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::process::Command;

    use super::*;

    fn project() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..")
    }

    #[test]
    fn what_is_carried_is_what_the_repository_has() {
        for file in FILES {
            let path = project().join(file.path);
            assert_eq!(fs::read(&path).unwrap(), file.bytes, "{}", file.path);
            let mode = fs::metadata(&path).unwrap().permissions().mode();
            assert_eq!(mode & 0o100 != 0, file.is_executable, "{}", file.path);
        }
        // Nothing that only this folder has.
        let listed = Command::new("git")
            .args(["ls-files", "--cached"])
            .current_dir(project())
            .output();
        let listed = String::from_utf8(listed.unwrap().stdout).unwrap();
        let listed: BTreeSet<&str> = listed.lines().collect();
        let strange: Vec<&str> = FILES
            .iter()
            .map(|file| file.path)
            .filter(|path| !listed.contains(path))
            .collect();
        assert!(strange.is_empty(), "not in the repository: {strange:?}");
    }

    /// A script that another one calls, a file that it reads: all that `scripts/images` names is there.
    #[test]
    fn what_the_script_reads_is_carried() {
        let carried = |path: &str| {
            FILES
                .iter()
                .any(|file| file.path == path || file.path.starts_with(&format!("{path}/")))
        };
        for path in [
            "scripts/images",
            "scripts/step.sh",
            "scripts/pull",
            "scripts/packages",
            "scripts/restricted-host/detect.sh",
            "oci/versions",
            "oci/builder/Dockerfile",
            "oci/node/Dockerfile",
            "oci/node/engine/patches",
            "oci/node/restricted",
            "oci/offline/debian/build",
            "oci/offline/kindest-node/build",
        ] {
            assert!(carried(path), "{path}");
        }
    }

    #[test]
    fn a_changed_file_changes_the_folder() {
        let file = |path, is_executable, bytes| File {
            path,
            is_executable,
            bytes,
        };
        let before = digest(&[file("a", false, b"1"), file("b", false, b"2")]);
        for after in [
            [file("a", false, b"1"), file("b", false, b"3")],
            [file("a", false, b"1"), file("c", false, b"2")],
            [file("a", true, b"1"), file("b", false, b"2")],
            [file("a", false, b"1b"), file("", false, b"2")],
        ] {
            assert_ne!(digest(&after), before);
        }
    }

    #[test]
    fn they_are_unpacked_once_and_again_where_one_is_gone() {
        let home = tempfile::tempdir().unwrap();
        let cache = Cache::at(home.path()).unwrap();
        let folder = unpack(&cache).unwrap();
        let script = folder.join("scripts/images");
        assert_ne!(fs::metadata(&script).unwrap().permissions().mode() & 0o111, 0);
        let marker = folder.join("marker");
        fs::write(&marker, "").unwrap();
        assert_eq!(unpack(&cache).unwrap(), folder);
        assert!(marker.exists());
        fs::write(&script, "exit 1").unwrap();
        assert_eq!(unpack(&cache).unwrap(), folder);
        assert!(!marker.exists() && is_whole(&folder));
    }
}
