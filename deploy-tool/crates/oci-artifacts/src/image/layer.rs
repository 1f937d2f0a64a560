//! A layer: a tar file in which nothing depends on the machine, the user, the time or the order of directories, packed
//! by gzip.
//!
//! gzip, because everything that takes images takes it: every registry, containerd, CRI-O, podman, and Docker engines
//! before 23, which refuse zstd; docs/images.md has the figures of both. The compressor is miniz_oxide: it has no code for
//! special processors, so its bytes are the same on each of them, and Cargo.lock pins its version. Level 4 takes a third
//! of the time of level 6 for 1.7 % more bytes.

use std::collections::BTreeMap;
use std::io::Write;

/// How hard gzip tries, of 9.
const LEVEL: u32 = 4;

/// One file of a layer.
#[derive(Clone, Copy, Debug)]
pub struct LayerFile<'a> {
    /// Its absolute path in the image.
    pub path: &'a str,
    /// Its bytes.
    pub bytes: &'a [u8],
    /// Its permissions.
    pub mode: u32,
}

/// A file that cannot be in a layer.
#[derive(Debug, thiserror::Error)]
pub enum LayerError {
    /// Not absolute, or with a part that leads elsewhere.
    #[error("`{0}` is not a plain absolute path such as /etc/services")]
    Path(String),
    /// Two files for one path.
    #[error("the path `{0}` is there twice")]
    Twice(String),
    /// ustar has room for 100 bytes and a prefix of 155.
    #[error("the path `{0}` does not fit into a tar header")]
    Long(String, #[source] std::io::Error),
}

/// Makes the tar: files and their folders, sorted by path; times 0, owner 0, fixed modes.
///
/// # Errors
/// When a path cannot be in a layer.
pub fn layer<'a>(files: impl IntoIterator<Item = LayerFile<'a>>) -> Result<Vec<u8>, LayerError> {
    let mut entries: BTreeMap<String, Option<LayerFile<'a>>> = BTreeMap::new();
    for file in files {
        let path = relative(file.path)?;
        for (end, _) in path.match_indices('/') {
            entries.entry(format!("{}/", &path[..end])).or_insert(None);
        }
        if entries.insert(path.to_owned(), Some(file)).is_some() {
            return Err(LayerError::Twice(file.path.to_owned()));
        }
    }
    let mut builder = tar::Builder::new(Vec::new());
    for (path, file) in &entries {
        let long = |error| LayerError::Long(path.clone(), error);
        let (kind, mode, bytes) = match file {
            Some(file) => (tar::EntryType::Regular, file.mode, file.bytes),
            None => (tar::EntryType::Directory, 0o755, [].as_slice()),
        };
        builder
            .append(&header(path, kind, mode, bytes.len() as u64).map_err(long)?, bytes)
            .map_err(long)?;
    }
    builder
        .into_inner()
        .map_err(|error| LayerError::Long(String::new(), error))
}

/// Packs a tar file. Without a name and a time in it, equal bytes stay equal.
///
/// # Errors
/// Never: memory is read and written.
pub fn compress(tar: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut encoder = flate2::GzBuilder::new().write(Vec::new(), flate2::Compression::new(LEVEL));
    encoder.write_all(tar)?;
    encoder.finish()
}

/// A ustar header that is the same everywhere.
pub(super) fn header(path: &str, kind: tar::EntryType, mode: u32, size: u64) -> std::io::Result<tar::Header> {
    let mut header = tar::Header::new_ustar();
    header.set_path(path)?;
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header.set_size(size);
    header.set_cksum();
    Ok(header)
}

fn relative(path: &str) -> Result<&str, LayerError> {
    let plain = |part: &str| !part.is_empty() && part != "." && part != "..";
    path.strip_prefix('/')
        .filter(|rest| rest.split('/').all(plain) && !rest.contains('\0'))
        .ok_or_else(|| LayerError::Path(path.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str) -> LayerFile<'_> {
        LayerFile {
            path,
            bytes: b"x",
            mode: 0o444,
        }
    }

    #[test]
    fn the_order_of_the_files_does_not_matter() {
        let shuffled = layer([file("/b/c"), file("/a")]).unwrap();
        let sorted = layer([file("/a"), file("/b/c")]).unwrap();
        assert_eq!(shuffled, sorted);
        let mut archive = tar::Archive::new(shuffled.as_slice());
        let entries: Vec<_> = archive
            .entries()
            .unwrap()
            .map(|entry| {
                let entry = entry.unwrap();
                let header = entry.header();
                assert_eq!(
                    (header.mtime().unwrap(), header.uid().unwrap(), header.gid().unwrap()),
                    (0, 0, 0)
                );
                (entry.path().unwrap().display().to_string(), header.mode().unwrap())
            })
            .collect();
        assert_eq!(
            entries,
            [("a".into(), 0o444), ("b/".into(), 0o755), ("b/c".into(), 0o444)]
        );
    }

    #[test]
    fn refuses_paths_that_lead_elsewhere() {
        for path in ["", "/", "a", "/a/../b", "/a//b", "/./a", "/a/"] {
            assert!(matches!(layer([file(path)]), Err(LayerError::Path(_))), "{path:?}");
        }
        assert!(matches!(layer([file("/a"), file("/a")]), Err(LayerError::Twice(_))));
        let long = format!("/{}", "x".repeat(300));
        assert!(matches!(layer([file(&long)]), Err(LayerError::Long(..))));
    }
}
