//! Edge: the files of an image's layers, one layer over the other.
//!
//! <https://github.com/opencontainers/image-spec/blob/main/layer.md>

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{Error, ErrorKind, Read, Result};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt, lchown, symlink};
use std::path::{Path, PathBuf};

use tar::EntryType;

use super::in_root::{resolve, resolve_fully};
use super::user::UserDatabase;
use crate::image::{archive, layer_listing};

/// No image has more bytes: a small layer could be made that never ends.
const MOST_BYTES: u64 = 32 << 30;
/// Begins the name of what a layer takes away.
const WHITEOUT: &str = ".wh.";
/// The name that takes away everything that lower layers have in its folder.
const OPAQUE: &str = ".wh..wh..opq";

/// Unpacks layers into a folder.
#[derive(Debug)]
pub struct Unpacker {
    root: PathBuf,
    keeps_owners: bool,
    left: u64,
    folders: Vec<(PathBuf, u32)>,
}

impl Unpacker {
    /// Into an empty folder. Only root can give files to others.
    pub fn new(root: &Path, keeps_owners: bool) -> Self {
        Self {
            root: root.to_owned(),
            keeps_owners,
            left: MOST_BYTES,
            folders: Vec::new(),
        }
    }

    /// Puts a layer over those that are there. Other work gets its turn after each file.
    ///
    /// # Errors
    /// When it is damaged, packed by something other than gzip, or cannot be written.
    pub async fn unpack(&mut self, layer: impl Read, media_type: &str) -> Result<()> {
        let unpacked = layer_listing::unpacked(layer, media_type)?;
        let mut archive = tar::Archive::new(unpacked.take(self.left));
        let mut own = Vec::new();
        for entry in archive::entries_with_links(archive.entries()?) {
            let archive::EntryWithPath { path, link, entry } = entry?;
            self.write_entry(&path, link.as_deref(), entry, &mut own)
                .map_err(|error| Error::new(error.kind(), format!("`{path}`: {error}")))?;
            tokio::task::yield_now().await;
        }
        self.left = archive.into_inner().limit();
        match self.left {
            0 => Err(Error::new(
                ErrorKind::FileTooLarge,
                format!("the image has more than {} GiB", MOST_BYTES >> 30),
            )),
            _ => Ok(()),
        }
    }

    /// Gives the folders their permissions: until now they had to be written to.
    ///
    /// # Errors
    /// When that is not allowed.
    pub fn finish(self) -> Result<()> {
        for (folder, mode) in self.folders.iter().rev() {
            // A later layer may have taken it away, or put something else there.
            if fs::symlink_metadata(folder).is_ok_and(|found| found.is_dir()) {
                // The user of a rootless bundle must be able to delete it.
                let mode = if self.keeps_owners { *mode } else { mode | 0o700 };
                fs::set_permissions(folder, Permissions::from_mode(mode))?;
            }
        }
        Ok(())
    }

    fn write_entry(
        &mut self,
        path: &str,
        link: Option<&str>,
        mut entry: impl Entry,
        own: &mut Vec<PathBuf>,
    ) -> Result<()> {
        let target_path = resolve(&self.root, Path::new(path))?;
        let name = target_path
            .file_name()
            .map(|name| name.to_string_lossy().into_owned())
            .unwrap_or_default();
        let parent = target_path.parent().unwrap_or(&self.root);
        if target_path == self.root {
            return Ok(());
        }
        if name == OPAQUE {
            return clear(parent, own);
        }
        if let Some(gone) = name.strip_prefix(WHITEOUT) {
            return remove(&parent.join(gone));
        }
        let header = entry.header().clone();
        fs::create_dir_all(parent)?;
        let mode = header.mode()? & 0o7777;
        own.push(target_path.clone());
        match header.entry_type() {
            EntryType::Directory => {
                if !fs::symlink_metadata(&target_path).is_ok_and(|found| found.is_dir()) {
                    remove(&target_path)?;
                    fs::create_dir(&target_path)?;
                }
                self.set_owner(&target_path, &header)?;
                self.folders.push((target_path, mode));
            }
            EntryType::Symlink => {
                remove(&target_path)?;
                symlink(link.unwrap_or_default(), &target_path)?;
                self.set_owner(&target_path, &header)?;
            }
            EntryType::Link => {
                let target = resolve(&self.root, Path::new(link.unwrap_or_default()))?;
                if target != target_path {
                    remove(&target_path)?;
                    fs::hard_link(target, &target_path)?;
                }
            }
            EntryType::Regular | EntryType::Continuous => {
                remove(&target_path)?;
                let mut file = OpenOptions::new()
                    .write(true)
                    .create_new(true)
                    .mode(0o600)
                    .open(&target_path)?;
                std::io::copy(&mut entry, &mut file)?;
                self.set_owner(&target_path, &header)?;
                // After the owner, whose change takes these bits away; without it they would be another's.
                let mode = if self.keeps_owners { mode } else { mode & 0o777 };
                file.set_permissions(Permissions::from_mode(mode))?;
                let modified = std::time::UNIX_EPOCH + std::time::Duration::from_secs(header.mtime()?);
                file.set_modified(modified)?;
            }
            EntryType::GNUSparse => return Err(Error::new(ErrorKind::Unsupported, "it is a sparse file")),
            // Devices: the runtime makes those that a container has.
            _ => {}
        }
        Ok(())
    }

    fn set_owner(&self, path: &Path, header: &tar::Header) -> Result<()> {
        if !self.keeps_owners {
            return Ok(());
        }
        let number = |id: u64| u32::try_from(id).map_err(|error| Error::new(ErrorKind::InvalidData, error));
        lchown(path, Some(number(header.uid()?)?), Some(number(header.gid()?)?))
    }
}

/// The parts of a tar entry that are read.
trait Entry: Read {
    fn header(&self) -> &tar::Header;
}

impl<R: Read> Entry for tar::Entry<'_, R> {
    fn header(&self) -> &tar::Header {
        tar::Entry::header(self)
    }
}

fn remove(path: &Path) -> Result<()> {
    match fs::symlink_metadata(path) {
        Ok(found) if found.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

/// Takes away what lower layers have in a folder; what the layer itself has put there stays.
fn clear(folder: &Path, own: &[PathBuf]) -> Result<()> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    for entry in entries {
        let path = entry?.path();
        if !own.iter().any(|kept| kept.starts_with(&path)) {
            remove(&path)?;
        }
    }
    Ok(())
}

/// Whether a file of a root folder is a module, or a shared object that `wasmedge compile` made of one.
///
/// # Errors
/// When it cannot be read, or is not there.
pub fn contains_module(root: &Path, path: &str) -> Result<bool> {
    let mut start = [0; 4];
    let mut file = File::open(resolve_fully(root, Path::new(path))?)?;
    match file.read_exact(&mut start) {
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => Ok(false),
        read => read.map(|()| matches!(&start, b"\0asm" | b"\x7fELF")),
    }
}

impl UserDatabase {
    /// Those of a root folder.
    ///
    /// # Errors
    /// When one is there and cannot be read.
    pub fn read(root: &Path) -> Result<Self> {
        let text = |path: &str| match fs::read(resolve_fully(root, Path::new(path))?) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(String::new()),
            bytes => bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()),
        };
        Ok(Self {
            passwd: text("/etc/passwd")?,
            group: text("/etc/group")?,
        })
    }
}

#[cfg(test)]
mod tests;
