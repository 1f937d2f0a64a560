//! Pure: lists the files of a layer.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Error, ErrorKind, Read, Result};

use super::archive;

/// More than this does not come out of a layer: a small one could be made that never ends.
const MOST_UNPACKED: u64 = 1 << 30;
/// Files that are read have no more bytes together: all of them are in memory at once.
pub const MOST_BYTES: u64 = 128 << 20;

/// More modules than any image has.
const MOST_MODULES: usize = 10_000;

/// The relevant files of a layer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LayerListing {
    /// The files that were asked for, by their absolute paths.
    pub files: BTreeMap<String, Vec<u8>>,
    /// The absolute paths of everything that ends in .wasm.
    pub modules: BTreeSet<String>,
}

/// The tar file in a layer.
///
/// # Errors
/// When it is packed by something other than gzip.
pub(crate) fn unpacked<'a>(layer: impl Read + 'a, media_type: &str) -> Result<Box<dyn Read + 'a>> {
    match media_type.rsplit(['.', '+']).next() {
        Some("gzip") => Ok(Box::new(flate2::read::MultiGzDecoder::new(layer))),
        Some("tar") => Ok(Box::new(layer)),
        _ => {
            let why = format!("only gzip is unpacked here, and it is `{media_type}`");
            Err(Error::new(ErrorKind::Unsupported, why))
        }
    }
}

/// Looks into a layer. The files that are read may have so many bytes together.
///
/// # Errors
/// When it is packed by something other than gzip, damaged or too large.
pub fn scan(layer: impl Read, media_type: &str, wanted: &[&str], most_bytes: u64) -> Result<LayerListing> {
    let unpacked = unpacked(layer, media_type)?;
    let mut contents = LayerListing::default();
    let mut archive = tar::Archive::new(unpacked.take(MOST_UNPACKED));
    let mut left = most_bytes;
    for entry in archive::entries_with_paths(archive.entries()?) {
        let (path, mut entry) = entry?;
        let path = format!("/{}", path.trim_start_matches("./").trim_start_matches('/'));
        if !entry.header().entry_type().is_file() {
            continue;
        }
        if path.ends_with(".wasm") {
            contents.modules.insert(path.clone());
            if contents.modules.len() > MOST_MODULES {
                let why = format!("it has more than {MOST_MODULES} modules");
                return Err(Error::new(ErrorKind::InvalidData, why));
            }
        }
        if wanted.contains(&path.as_str()) {
            let size = entry.size();
            let too_large = || format!("`{path}` has {size} bytes; {most_bytes} are read of an image");
            left = left
                .checked_sub(size)
                .ok_or_else(|| Error::new(ErrorKind::FileTooLarge, too_large()))?;
            // No more than what is left, so that doubling does not take twice as much.
            let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or_default());
            entry.read_to_end(&mut bytes)?;
            contents.files.insert(path, bytes);
        }
    }
    Ok(contents)
}

#[cfg(test)]
mod tests {
    use super::super::{LayerFile, compress, layer};
    use super::*;

    #[test]
    fn files_are_found_in_packed_and_in_plain_layers() {
        let file = |path| LayerFile {
            path,
            bytes: b"x",
            mode: 0o444,
        };
        let tar = layer([file("/a.wasm"), file("/etc/services"), file("/b/c.wasm")]).unwrap();
        let packed = compress(&tar).unwrap();
        for (bytes, kind) in [
            (&tar, "application/vnd.oci.image.layer.v1.tar"),
            (&packed, "application/vnd.oci.image.layer.v1.tar+gzip"),
            (&packed, "application/vnd.docker.image.rootfs.diff.tar.gzip"),
        ] {
            let found = scan(bytes.as_slice(), kind, &["/etc/services", "/none"], 1).unwrap();
            assert_eq!(
                found.files,
                BTreeMap::from([("/etc/services".to_owned(), b"x".to_vec())])
            );
            assert_eq!(found.modules, ["/a.wasm", "/b/c.wasm"].map(str::to_owned).into());
        }
        assert!(scan(packed.as_slice(), "application/vnd.oci.image.layer.v1.tar+zstd", &[], 1).is_err());
        assert!(scan(&packed[..40], "application/vnd.oci.image.layer.v1.tar+gzip", &[], 1).is_err());
    }

    #[test]
    fn no_more_is_read_than_is_allowed() {
        let file = |path| LayerFile {
            path,
            bytes: b"12345",
            mode: 0o444,
        };
        let tar = layer([file("/a"), file("/b")]).unwrap();
        let scan = |most| {
            scan(
                tar.as_slice(),
                "application/vnd.oci.image.layer.v1.tar",
                &["/a", "/b"],
                most,
            )
        };
        assert_eq!(scan(10).unwrap().files.len(), 2);
        assert_eq!(scan(9).unwrap_err().kind(), ErrorKind::FileTooLarge);
    }
}
