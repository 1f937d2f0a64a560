//! Edge: the files of a folder that may be sources. Cargo's output is none, nor is what editors and systems leave behind.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

/// Is in each folder that is a cache, such as Cargo's target folder, whatever that is called. <https://bford.info/cachedir/>
const CACHE_TAG: &str = "CACHEDIR.TAG";
/// How it begins.
const CACHE_SIGNATURE: &[u8] = b"Signature: 8a477f597d28d172789f06886806bc55";

/// A folder and all below it. Links are followed, except those that lead back to a folder that they are in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SourceFolder {
    /// The regular files. One may be gone by the time that it is opened, and some this user may not read.
    pub files: Vec<PathBuf>,
    /// The folders, this one included.
    pub folders: Vec<PathBuf>,
}

impl SourceFolder {
    /// Lists a folder, but for what has one of some names in it. Folders that cannot be read are left out: an editor may have
    /// just removed one, and a database that runs beside the sources keeps its own to itself.
    pub fn list(folder: &Path, left_out: &[&str]) -> Self {
        let mut found = Self::default();
        found.add(folder, &mut Vec::new(), left_out);
        found
    }

    /// `parents` are the folders that this one is in, where links lead.
    fn add(&mut self, folder: &Path, parents: &mut Vec<PathBuf>, left_out: &[&str]) {
        let (Ok(real), Ok(entries)) = (folder.canonicalize(), std::fs::read_dir(folder)) else {
            return;
        };
        if parents.contains(&real) {
            return;
        }
        let is_top = parents.is_empty();
        parents.push(real);
        self.folders.push(folder.to_owned());
        for entry in entries.flatten() {
            let (path, name) = (entry.path(), entry.file_name());
            let name = name.to_string_lossy();
            // Further below, it may be a module of that name.
            let is_target = is_top && name == "target";
            if is_target || name.starts_with(['.', '#']) || name.ends_with('~') || left_out.contains(&name.as_ref()) {
                continue;
            }
            // Not what waits for somebody when it is opened, such as pipes and sockets.
            if path.is_file() {
                self.files.push(path);
            } else if path.is_dir() && !is_cache(&path) {
                self.add(&path, parents, &[]);
            }
        }
        parents.pop();
    }
}

fn is_cache(folder: &Path) -> bool {
    let mut start = [0; CACHE_SIGNATURE.len()];
    File::open(folder.join(CACHE_TAG))
        .and_then(|mut file| file.read_exact(&mut start))
        .is_ok_and(|()| start == CACHE_SIGNATURE)
}

/// Whether a file that cannot be opened is no source for that: it is gone, or is not this user's, whose compiler cannot read
/// it either.
pub fn is_no_source(error: &std::io::Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::PermissionDenied)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::symlink;
    use std::os::unix::net::UnixListener;

    #[test]
    fn output_of_cargo_and_what_is_no_file_are_left_out() {
        let (home, shared) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let path = |name: &str| home.path().join(name);
        for (file, text) in [
            ("main.rs", ""),
            ("main.rs~", ""),
            ("#main.rs#", ""),
            (".main.rs.swp", ""),
            ("docs/page.md", ""),
            ("inner/docs/page.md", ""),
            ("target/debug/app", ""),
            // A module may have that name.
            ("inner/target/mod.rs", ""),
            ("inner/output/app", ""),
            (
                "inner/output/CACHEDIR.TAG",
                "Signature: 8a477f597d28d172789f06886806bc55\n",
            ),
            ("inner/notes/CACHEDIR.TAG", "no tag"),
        ] {
            fs::create_dir_all(path(file).parent().unwrap()).unwrap();
            fs::write(path(file), text).unwrap();
        }
        fs::write(shared.path().join("shared.rs"), "").unwrap();
        symlink(shared.path(), path("other")).unwrap();
        symlink("main.rs", path("link.rs")).unwrap();
        symlink("nowhere", path("dangling")).unwrap();
        symlink(".", path("circle")).unwrap();
        symlink("..", path("inner/circle")).unwrap();
        let _socket = UnixListener::bind(path("socket")).unwrap();
        let made = std::process::Command::new("mkfifo").arg(path("pipe")).status();
        assert!(made.unwrap().success());
        let mut found = SourceFolder::list(home.path(), &["docs"]);
        found.files.sort();
        let expected = [
            "inner/docs/page.md",
            "inner/notes/CACHEDIR.TAG",
            "inner/target/mod.rs",
            "link.rs",
            "main.rs",
            "other/shared.rs",
        ];
        assert_eq!(found.files, expected.map(path));
        assert_eq!(SourceFolder::list(&path("absent"), &[]), SourceFolder::default());
    }
}
