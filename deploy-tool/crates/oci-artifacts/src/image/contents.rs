//! Pure: what is in a layer.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Error, ErrorKind, Read, Result};

/// More than this does not come out of a layer: a small one could be made that never ends.
const MOST_UNPACKED: u64 = 1 << 30;
/// A file that is read is no larger.
const MOST_BYTES: u64 = 256 << 20;

/// What was looked for in a layer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Contents {
    /// The files that were asked for, by their absolute paths.
    pub files: BTreeMap<String, Vec<u8>>,
    /// The absolute paths of everything that ends in .wasm.
    pub modules: BTreeSet<String>,
}

/// Looks into a layer.
///
/// # Errors
/// When it is packed by something other than gzip, damaged or too large.
pub fn look(layer: impl Read, media_type: &str, wanted: &[&str]) -> Result<Contents> {
    let unpacked: Box<dyn Read> = match media_type.rsplit(['.', '+']).next() {
        Some("gzip") => Box::new(flate2::read::MultiGzDecoder::new(layer)),
        Some("tar") => Box::new(layer),
        _ => {
            let why = format!("only gzip is unpacked here, and it is `{media_type}`");
            return Err(Error::new(ErrorKind::Unsupported, why));
        }
    };
    let mut contents = Contents::default();
    let mut archive = tar::Archive::new(unpacked.take(MOST_UNPACKED));
    for entry in archive.entries()? {
        let mut entry = entry?;
        let path = entry.path()?.to_string_lossy().into_owned();
        let path = format!("/{}", path.trim_start_matches("./").trim_start_matches('/'));
        if !entry.header().entry_type().is_file() {
            continue;
        }
        if path.ends_with(".wasm") {
            contents.modules.insert(path.clone());
        }
        if wanted.contains(&path.as_str()) {
            if entry.size() > MOST_BYTES {
                return Err(Error::new(ErrorKind::FileTooLarge, path));
            }
            let mut bytes = Vec::new();
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
            let found = look(bytes.as_slice(), kind, &["/etc/services", "/none"]).unwrap();
            assert_eq!(
                found.files,
                BTreeMap::from([("/etc/services".to_owned(), b"x".to_vec())])
            );
            assert_eq!(found.modules, ["/a.wasm", "/b/c.wasm"].map(str::to_owned).into());
        }
        assert!(look(packed.as_slice(), "application/vnd.oci.image.layer.v1.tar+zstd", &[]).is_err());
        assert!(look(&packed[..40], "application/vnd.oci.image.layer.v1.tar+gzip", &[]).is_err());
    }
}
