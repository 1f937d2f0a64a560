//! Edge: the folder of everything that can be made again. Files appear in it whole or not at all.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crate::atomic_file;
use diagnostics::{Error, Result};

/// The environment variable that moves the cache.
pub(crate) const CACHE_VARIABLE: &str = "DEPLOY_TOOL_CACHE";
/// Mode of files in the cache.
const MODE: u32 = 0o644;
/// No run takes this long.
const ABANDONED: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// The folder of everything that can be made again: modules, images, crates, logs, locks.
pub(crate) fn cache_folder(variable: impl Fn(&str) -> Option<String>) -> Option<PathBuf> {
    let set = |name: &str| variable(name).filter(|value| !value.is_empty());
    set(CACHE_VARIABLE)
        .map(PathBuf::from)
        .or_else(|| set("XDG_CACHE_HOME").map(|home| Path::new(&home).join("deploy-tool")))
        .or_else(|| set("HOME").map(|home| Path::new(&home).join(".cache/deploy-tool")))
}

/// The folder of everything that can be made again.
#[derive(Clone, Debug)]
pub struct Cache {
    folder: PathBuf,
    /// Set when the folder goes with the last of these values.
    _temporary: Option<Arc<tempfile::TempDir>>,
}

impl Cache {
    /// The cache that the environment names.
    ///
    /// # Errors
    /// When no variable names one, or the folder cannot be made.
    pub fn open() -> Result<Self> {
        let folder = cache_folder(|name| std::env::var(name).ok()).ok_or_else(|| {
            Error::input("there is no place for the cache")
                .cause("neither DEPLOY_TOOL_CACHE, XDG_CACHE_HOME nor HOME is set")
                .hint("set DEPLOY_TOOL_CACHE to a folder")
        })?;
        Self::at(&folder)
    }

    /// A cache in the given folder.
    ///
    /// # Errors
    /// When the folder cannot be made.
    pub fn at(folder: &Path) -> Result<Self> {
        let failure = |error| {
            Error::file(format!("cannot make the cache folder `{}`", folder.display()), &error)
                .hint("set DEPLOY_TOOL_CACHE to a folder of yours")
        };
        std::fs::create_dir_all(folder).map_err(failure)?;
        // Docker wants absolute paths.
        let folder = folder.canonicalize().map_err(failure)?;
        Ok(Self {
            folder,
            _temporary: None,
        })
    }

    /// The cache that the environment names. Where that cannot be written, as in a container with a read-only file system,
    /// a folder for this run alone: for verbs that keep nothing there which the next run needs.
    ///
    /// # Errors
    /// When `DEPLOY_TOOL_CACHE` names a folder that cannot be written, or there is no temporary folder.
    pub fn open_or_temporary(warn: impl FnOnce(&str)) -> Result<Self> {
        if std::env::var_os(CACHE_VARIABLE).is_some_and(|value| !value.is_empty()) {
            return Self::open();
        }
        match Self::open().and_then(Self::writable) {
            Ok(cache) => Ok(cache),
            Err(failure) => {
                let cache = Self::temporary()?;
                warn(&format!(
                    "{}: what this run keeps goes with it; DEPLOY_TOOL_CACHE names a folder that stays",
                    failure.message()
                ));
                Ok(cache)
            }
        }
    }

    fn temporary() -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("deploy-tool-").tempdir();
        let folder = folder.map_err(|error| {
            let parent = std::env::temp_dir();
            Error::file(format!("cannot make a folder in `{}`", parent.display()), &error)
                .hint("set DEPLOY_TOOL_CACHE to a folder of yours")
        })?;
        let mut cache = Self::at(folder.path())?;
        cache._temporary = Some(Arc::new(folder));
        Ok(cache)
    }

    fn writable(self) -> Result<Self> {
        let tried = tempfile::tempfile_in(&self.folder);
        tried.map_err(|error| {
            Error::file(
                format!("cannot write to the cache folder `{}`", self.folder.display()),
                &error,
            )
        })?;
        Ok(self)
    }

    /// The folder itself.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// A path in the cache; its parent folder is made.
    ///
    /// # Errors
    /// When the parent folder cannot be made.
    pub fn path(&self, name: impl AsRef<Path>) -> Result<PathBuf> {
        let path = self.folder.join(name);
        let parent = path.parent().unwrap_or(&self.folder);
        std::fs::create_dir_all(parent)
            .map_err(|error| Error::file(format!("cannot make the folder `{}`", parent.display()), &error))?;
        Ok(path)
    }

    /// Where the output of a program goes.
    pub fn log(&self, what: &str) -> PathBuf {
        self.folder.join("logs").join(format!("{what}.log"))
    }

    /// Creates an empty folder that is removed when the value is dropped. Its name is random: containers that share the cache
    /// may have the same process IDs.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn scratch(&self, name: &str) -> Result<Scratch> {
        let parent = self.path(Path::new("work").join(name))?;
        let parent = parent.parent().unwrap_or(&self.folder);
        remove_abandoned(parent);
        let folder = tempfile::Builder::new()
            .prefix(&format!("{name}-"))
            .permissions(Permissions::from_mode(0o755))
            .tempdir_in(parent)
            .map_err(|error| Error::file(format!("cannot make a folder in `{}`", parent.display()), &error))?;
        Ok(Scratch {
            path: folder.path().to_owned(),
            _folder: folder,
        })
    }

    /// Writes a file unless it exists. Returns its bytes.
    ///
    /// # Errors
    /// When it can be neither written nor read.
    pub fn write_once(&self, path: &Path, bytes: &[u8]) -> Result<Vec<u8>> {
        let write = || {
            match std::fs::read(path) {
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                found => return found,
            }
            match atomic_file::stage(path, bytes, MODE)?.persist_noclobber(path) {
                Ok(_) => Ok(bytes.to_vec()),
                Err(error) if error.error.kind() == std::io::ErrorKind::AlreadyExists => std::fs::read(path),
                Err(error) => Err(error.error),
            }
        };
        write().map_err(|error| Error::file(format!("cannot write `{}`", path.display()), &error))
    }

    /// Writes a file atomically.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&self, path: &Path, bytes: &[u8]) -> Result<()> {
        let staged = atomic_file::stage(path, bytes, MODE);
        let written = staged.and_then(|file| file.persist(path).map_err(|error| error.error));
        let written = written.map(drop);
        written.map_err(|error| Error::file(format!("cannot write `{}`", path.display()), &error))
    }
}

/// A folder that goes when the value goes.
#[derive(Debug)]
pub struct Scratch {
    /// Where it is.
    pub path: PathBuf,
    _folder: tempfile::TempDir,
}

/// Removes folders of killed runs. A failure only costs disk space.
fn remove_abandoned(parent: &Path) {
    let is_old = |entry: &std::fs::DirEntry| {
        let changed = entry.metadata().and_then(|metadata| metadata.modified());
        changed.is_ok_and(|changed| changed.elapsed().is_ok_and(|age| age > ABANDONED))
    };
    for entry in std::fs::read_dir(parent).into_iter().flatten().flatten().filter(is_old) {
        let _ = std::fs::remove_dir_all(entry.path());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cache_is_where_the_first_set_variable_says() {
        let folder = |pairs: &'static [(&str, &str)]| {
            cache_folder(|name| {
                pairs
                    .iter()
                    .find(|(key, _)| *key == name)
                    .map(|(_, value)| (*value).to_owned())
            })
        };
        assert_eq!(
            folder(&[("DEPLOY_TOOL_CACHE", "/c"), ("HOME", "/h")]),
            Some("/c".into())
        );
        assert_eq!(
            folder(&[("XDG_CACHE_HOME", "/x"), ("HOME", "/h")]),
            Some("/x/deploy-tool".into())
        );
        assert_eq!(
            folder(&[("XDG_CACHE_HOME", ""), ("HOME", "/h")]),
            Some("/h/.cache/deploy-tool".into())
        );
        assert_eq!(folder(&[]), None);
    }

    #[test]
    fn files_appear_whole_and_scratch_goes() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::at(&folder.path().join("a/b")).unwrap();
        let path = cache.path("modules/x.wasm").unwrap();
        cache.write(&path, b"bytes").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"bytes");
        assert_eq!(std::fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
        let scratch = cache.scratch("stage").unwrap();
        let kept = scratch.path.clone();
        // Two runs with one process number, as in two containers that share the cache.
        let second = cache.scratch("stage").unwrap();
        assert_ne!(kept, second.path);
        std::fs::write(kept.join("file"), "x").unwrap();
        drop(scratch);
        assert!(!kept.exists() && second.path.exists());
    }

    #[test]
    fn what_killed_runs_left_goes_after_a_week() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::at(folder.path()).unwrap();
        let (old, new) = (folder.path().join("work/stage-1"), folder.path().join("work/stage-2"));
        for path in [&old, &new] {
            std::fs::create_dir_all(path).unwrap();
        }
        let week_ago = std::time::SystemTime::now() - ABANDONED - Duration::from_secs(60);
        std::fs::File::open(&old).unwrap().set_modified(week_ago).unwrap();
        let _scratch = cache.scratch("stage").unwrap();
        assert!(!old.exists() && new.exists());
    }

    #[test]
    fn a_temporary_cache_goes_with_its_last_value() {
        let cache = Cache::temporary().unwrap();
        let (folder, other) = (cache.folder().to_owned(), cache.clone());
        cache.write(&cache.path("locks/a").unwrap(), b"").unwrap();
        drop(cache);
        assert!(folder.join("locks/a").exists());
        drop(other);
        assert!(!folder.exists());
    }

    #[test]
    fn a_cache_that_cannot_be_made_says_so() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        std::fs::write(&file, "").unwrap();
        let failure = Cache::at(&file.join("cache")).unwrap_err();
        assert!(failure.to_string().contains("DEPLOY_TOOL_CACHE"), "{failure}");
    }
}
