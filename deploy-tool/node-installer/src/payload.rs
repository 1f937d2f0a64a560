//! Edge: opens the engine's files in the installer's image, which cannot be reached any more after chroot.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use crate::record::FOLDER;
use crate::report::InstallError;
use node_protocol::number::INSTALLER;

/// An engine to be installed.
#[derive(Debug)]
pub struct Engine {
    /// Its version: the name of its folder.
    pub version: String,
    /// Its files and links, by their paths below that folder.
    pub files: BTreeMap<PathBuf, Source>,
}

/// A file of the engine.
#[derive(Debug)]
pub enum Source {
    /// An open file.
    File(File),
    /// A link, by its target.
    Link(PathBuf),
}

/// Opens all files of the one engine that the image has.
///
/// # Errors
/// When it has none, or more than one.
pub fn open_engine() -> Result<Engine, InstallError> {
    let opened = || -> std::io::Result<Vec<(String, BTreeMap<PathBuf, Source>)>> {
        let mut engines = Vec::new();
        for folder in fs::read_dir(FOLDER)? {
            let folder = folder?;
            let mut files = BTreeMap::new();
            collect_files(&folder.path(), Path::new(""), &mut files)?;
            engines.push((folder.file_name().to_string_lossy().into_owned(), files));
        }
        Ok(engines)
    };
    let image_error = || InstallError::new(INSTALLER, "the installer's image has not exactly one engine");
    let mut engines = opened().map_err(|error| image_error().cause(format!("{FOLDER}: {error}")))?;
    match (engines.pop(), engines.is_empty()) {
        (Some((version, files)), true) => Ok(Engine { version, files }),
        _ => Err(image_error()),
    }
}

fn collect_files(root: &Path, subfolder: &Path, files: &mut BTreeMap<PathBuf, Source>) -> std::io::Result<()> {
    for entry in fs::read_dir(root.join(subfolder))? {
        let entry = entry?;
        let path = subfolder.join(entry.file_name());
        let kind = entry.file_type()?;
        if kind.is_dir() {
            collect_files(root, &path, files)?;
        } else if kind.is_symlink() {
            files.insert(path, Source::Link(fs::read_link(entry.path())?));
        } else {
            files.insert(path, Source::File(File::open(entry.path())?));
        }
    }
    Ok(())
}
