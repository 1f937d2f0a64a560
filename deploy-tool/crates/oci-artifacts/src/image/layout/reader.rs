//! The files of a layout, read and checked.

use super::super::blob::{Blob, BlobSource};
use super::super::specification::{Descriptor, Manifest};
use super::document::{LayoutError, MOST_BYTES, images, is_index, is_manifest, kind, parts, path};
use crate::Digest;

/// The files of a layout, by their paths in it.
pub trait Files {
    /// How many bytes a file has, if it is there.
    fn size(&self, path: &str) -> Option<u64>;
    /// All of a file. It is small.
    ///
    /// # Errors
    /// When it cannot be read.
    fn read(&self, path: &str) -> std::io::Result<Vec<u8>>;
    /// The digest of a file, which may be large.
    ///
    /// # Errors
    /// When it cannot be read.
    fn digest(&self, path: &str) -> std::io::Result<Digest>;
    /// Where a file is.
    fn source(&self, path: &str) -> BlobSource;
}
/// A manifest in index.json, and its subject.
pub(super) struct ManifestEntry {
    pub(super) descriptor: Descriptor,
    pub(super) blob: Blob,
    pub(super) is_referrer: bool,
}
/// Reads and verifies the files of a layout, each with a size limit.
pub(super) struct Reader<'f, F>(pub(super) &'f F);

impl<F: Files> Reader<'_, F> {
    pub(super) fn document(&self, path: &str) -> Result<Vec<u8>, LayoutError> {
        let size = self.0.size(path).ok_or_else(|| LayoutError::Missing(path.to_owned()))?;
        if size > MOST_BYTES {
            return Err(LayoutError::Large(path.to_owned(), size));
        }
        self.0
            .read(path)
            .map_err(|error| LayoutError::Unreadable(path.to_owned(), error))
    }

    /// A blob that is there and has the size that it should have.
    pub(super) fn blob(&self, descriptor: &Descriptor) -> Result<Blob, LayoutError> {
        let digest = &descriptor.digest;
        let path = path(digest)?;
        let size = self.0.size(&path).ok_or_else(|| LayoutError::Missing(path.clone()))?;
        if size != descriptor.size {
            let why = format!("{size} of them, not {}", descriptor.size);
            return Err(LayoutError::Damaged(digest.clone(), why));
        }
        Ok(Blob {
            media_type: descriptor.media_type.clone(),
            digest: digest.clone(),
            size,
            source: self.0.source(&path),
        })
    }

    /// Whether a blob has the bytes that it should have.
    pub(super) fn check(&self, blob: &Blob) -> Result<(), LayoutError> {
        let path = path(&blob.digest)?;
        let found = self.0.digest(&path);
        check_digest(blob, &found.map_err(|error| LayoutError::Unreadable(path, error))?)
    }

    /// A blob with its bytes, which are those of a document.
    fn read(&self, descriptor: &Descriptor) -> Result<Blob, LayoutError> {
        let mut blob = self.blob(descriptor)?;
        blob.source = BlobSource::Bytes(self.document(&path(&blob.digest)?)?);
        check_digest(&blob, &Digest::of(blob.bytes()))?;
        Ok(blob)
    }

    pub(super) fn named(&self, descriptor: Descriptor) -> Result<ManifestEntry, LayoutError> {
        let Descriptor { media_type, digest, .. } = &descriptor;
        kind(digest, media_type)?;
        let blob = self.read(&descriptor)?;
        let is_referrer = is_manifest(media_type) && Manifest::from_blob(&blob)?.subject.is_some();
        Ok(ManifestEntry {
            descriptor,
            blob,
            is_referrer,
        })
    }

    /// The manifests of an index, and the descriptors of missing ones. At least one image must exist.
    pub(super) fn manifests(&self, root: &Blob) -> Result<(Vec<Blob>, Vec<Descriptor>), LayoutError> {
        if !is_index(&root.media_type) {
            return Ok((Vec::new(), Vec::new()));
        }
        let (mut present, mut absent) = (Vec::new(), Vec::new());
        let mut missing = None;
        for descriptor in images(root)? {
            match self.read_present(&descriptor) {
                Ok(manifest) => present.push(manifest),
                Err(error @ LayoutError::Missing(_)) => {
                    missing = missing.or(Some(error));
                    absent.push(descriptor);
                }
                Err(error) => return Err(error),
            }
        }
        match missing {
            Some(error) if present.is_empty() => Err(error),
            _ => Ok((present, absent)),
        }
    }

    /// A manifest whose image is there: one without its configuration has been left behind.
    fn read_present(&self, descriptor: &Descriptor) -> Result<Blob, LayoutError> {
        let manifest = self.read(descriptor)?;
        let (config, _) = parts(&manifest)?;
        self.blob(&config).map(|_| manifest)
    }
}

fn check_digest(blob: &Blob, found: &Digest) -> Result<(), LayoutError> {
    if *found == blob.digest {
        Ok(())
    } else {
        Err(LayoutError::Damaged(
            blob.digest.clone(),
            format!("their digest is {found}"),
        ))
    }
}
