//! Edge: the contents of all watched files. Modification times are not used: a checkout or a formatter changes them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::path::{Path, PathBuf};

use oci_artifacts::Digest;
use wasm_build::source_folder::SourceFolder;

/// The watched files and folders.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Roots {
    /// Folders, with all below them.
    pub folders: BTreeSet<PathBuf>,
    /// Single files.
    pub files: BTreeSet<PathBuf>,
}

impl Roots {
    /// These and others.
    pub fn joined(mut self, others: &Self) -> Self {
        self.folders.extend(others.folders.iter().cloned());
        self.files.extend(others.files.iter().cloned());
        self
    }
}

/// The contents at one time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Snapshot {
    files: BTreeMap<PathBuf, Digest>,
    /// The folders that the files are in. For what is not there, the one in which the first part of its path would appear.
    pub folders: BTreeSet<PathBuf>,
}

impl Snapshot {
    /// Reads everything. What cannot be read is not there: an editor may be about to replace it.
    pub fn read(roots: &Roots) -> Self {
        let mut snapshot = Self::default();
        for folder in &roots.folders {
            snapshot.folders.extend(nearest_folder(folder));
            let SourceFolder { files, folders } = SourceFolder::list(folder, &[]);
            snapshot.folders.extend(folders);
            files.iter().for_each(|file| snapshot.read_file(file));
        }
        for file in &roots.files {
            snapshot.folders.extend(file.parent().and_then(nearest_folder));
            snapshot.read_file(file);
        }
        snapshot
    }

    fn read_file(&mut self, path: &Path) {
        // Opening a pipe waits for who writes to it.
        if path.is_file()
            && let Ok(contents) = File::open(path).and_then(Digest::of_reader)
        {
            self.files.insert(path.to_owned(), contents);
        }
    }

    /// The files that differ in a newer snapshot, are new, or were deleted.
    pub fn changed_files(&self, newer: &Self) -> Vec<PathBuf> {
        let all: BTreeSet<&PathBuf> = self.files.keys().chain(newer.files.keys()).collect();
        let differs = |path: &&PathBuf| self.files.get(*path) != newer.files.get(*path);
        all.into_iter().filter(differs).cloned().collect()
    }
}

/// A folder, or the first one above it that is there.
fn nearest_folder(path: &Path) -> Option<PathBuf> {
    let current = |path| if path == Path::new("") { Path::new(".") } else { path };
    let mut folders = path.ancestors().map(current);
    folders.find(|folder| folder.is_dir()).map(Path::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn where_something_is_not_there_the_folder_that_it_would_appear_in_is_watched() {
        let home = tempfile::tempdir().unwrap();
        let path = |name: &str| home.path().join(name);
        fs::create_dir(path("oci")).unwrap();
        let roots = Roots {
            folders: [path("crates/shop")].into(),
            files: [path("oci/shop/image.yaml")].into(),
        };
        assert_eq!(Snapshot::read(&roots).folders, [path(""), path("oci")].into());
        assert_eq!(nearest_folder(Path::new("")), Some(PathBuf::from(".")));
        assert_eq!(
            nearest_folder(Path::new("no/such/folder/here")),
            Some(PathBuf::from("."))
        );
    }

    #[test]
    fn only_other_contents_are_a_change() {
        let home = tempfile::tempdir().unwrap();
        let path = |name: &str| home.path().join(name);
        fs::create_dir_all(path("src/web")).unwrap();
        fs::create_dir_all(path("target")).unwrap();
        fs::write(path("src/main.rs"), "a").unwrap();
        fs::write(path("src/web/route.rs"), "a").unwrap();
        fs::write(path("lock"), "a").unwrap();
        let roots = Roots {
            folders: [path("src")].into(),
            files: [path("lock"), path("absent")].into(),
        };
        let first = Snapshot::read(&roots);
        assert_eq!(
            first.folders,
            [home.path().to_owned(), path("src"), path("src/web")].into()
        );
        fs::write(path("src/main.rs"), "a").unwrap();
        fs::write(path("src/main.rs~"), "b").unwrap();
        fs::write(path("src/.main.rs.swp"), "b").unwrap();
        fs::write(path("target/x"), "b").unwrap();
        assert_eq!(first.changed_files(&Snapshot::read(&roots)), [""; 0].map(PathBuf::from));
        fs::write(path("src/new.rs"), "b").unwrap();
        fs::write(path("lock"), "b").unwrap();
        fs::remove_file(path("src/web/route.rs")).unwrap();
        let changed = first.changed_files(&Snapshot::read(&roots));
        assert_eq!(changed, [path("lock"), path("src/new.rs"), path("src/web/route.rs")]);
    }
}
