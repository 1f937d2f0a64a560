//! Edge: the folder of everything that can be made again. Files appear in it whole or not at all.

use std::io::Write;
use std::path::{Path, PathBuf};

use diagnostics::{Failure, Outcome};

/// The environment variable that moves the cache.
pub const CACHE_VARIABLE: &str = "DEPLOY_TOOL_CACHE";

/// The folder of everything that can be made again: modules, images, crates, logs, locks.
pub fn cache_folder(variable: impl Fn(&str) -> Option<String>) -> Option<PathBuf> {
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
}

impl Cache {
    /// The cache that the environment names.
    ///
    /// # Errors
    /// When no variable names one, or the folder cannot be made.
    pub fn open() -> Outcome<Self> {
        let folder = cache_folder(|name| std::env::var(name).ok()).ok_or_else(|| {
            Failure::input("there is no place for the cache")
                .because("neither DEPLOY_TOOL_CACHE, XDG_CACHE_HOME nor HOME is set")
                .next("set DEPLOY_TOOL_CACHE to a folder")
        })?;
        Self::at(&folder)
    }

    /// A cache in the given folder.
    ///
    /// # Errors
    /// When the folder cannot be made.
    pub fn at(folder: &Path) -> Outcome<Self> {
        let failure = |error| {
            Failure::file(format!("cannot make the cache folder `{}`", folder.display()), &error)
                .next("set DEPLOY_TOOL_CACHE to a folder of yours")
        };
        std::fs::create_dir_all(folder).map_err(failure)?;
        // Docker wants absolute paths.
        let folder = folder.canonicalize().map_err(failure)?;
        Ok(Self { folder })
    }

    /// The folder itself.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// A path in the cache; its parent folder is made.
    ///
    /// # Errors
    /// When the parent folder cannot be made.
    pub fn path(&self, name: impl AsRef<Path>) -> Outcome<PathBuf> {
        let path = self.folder.join(name);
        let parent = path.parent().unwrap_or(&self.folder);
        std::fs::create_dir_all(parent)
            .map_err(|error| Failure::file(format!("cannot make the folder `{}`", parent.display()), &error))?;
        Ok(path)
    }

    /// Where the output of a program goes.
    pub fn log(&self, what: &str) -> PathBuf {
        self.folder.join("logs").join(format!("{what}.log"))
    }

    /// A new, empty folder that is removed when the value is dropped.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn scratch(&self, name: &str) -> Outcome<Scratch> {
        let path = self.path(Path::new("work").join(format!("{name}-{}", std::process::id())))?;
        let scratch = Scratch { path };
        scratch.remove();
        std::fs::create_dir_all(&scratch.path)
            .map_err(|error| Failure::file(format!("cannot make the folder `{}`", scratch.path.display()), &error))?;
        Ok(scratch)
    }

    /// Writes a file so that nobody ever sees a part of it.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&self, path: &Path, bytes: &[u8]) -> Outcome<()> {
        let part = path.with_extension(format!("part-{}", std::process::id()));
        let write = || {
            let mut file = std::fs::File::create(&part)?;
            file.write_all(bytes)?;
            file.sync_all()?;
            std::fs::rename(&part, path)
        };
        write().map_err(|error| {
            // The part is of no use to anybody; the write's own error is the one to tell.
            let _ = std::fs::remove_file(&part);
            Failure::file(format!("cannot write `{}`", path.display()), &error)
        })
    }
}

/// A folder that goes when the value goes.
#[derive(Debug)]
pub struct Scratch {
    /// Where it is.
    pub path: PathBuf,
}

impl Scratch {
    fn remove(&self) {
        // Left-overs only cost disk space, and the next run of the same number removes them.
        let _ = std::fs::remove_dir_all(&self.path);
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        self.remove();
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
        std::fs::write(kept.join("file"), "x").unwrap();
        drop(scratch);
        assert!(!kept.exists());
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
