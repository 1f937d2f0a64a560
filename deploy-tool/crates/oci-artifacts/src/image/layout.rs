//! Pure: an image with everything that belongs to it, as an OCI layout keeps it, and the rules by which one is read.
//!
//! <https://github.com/opencontainers/image-spec/blob/main/image-layout.md>

use std::collections::BTreeSet;

use serde::Deserialize;

use super::blob::{Blob, BlobSource};
use super::specification::{
    ATTACHED_ANNOTATION, DOCKER_INDEX, DOCKER_MANIFEST, Descriptor, INDEX, Index, MANIFEST, Manifest,
};
use crate::digest;

/// The file that makes a folder a layout, and what it says.
pub const MARKER: (&str, &str) = ("oci-layout", r#"{"imageLayoutVersion":"1.0.0"}"#);
/// The file that names the images.
pub const INDEX_FILE: &str = "index.json";
/// In an index.json: the full name, for containerd.
/// <https://github.com/containerd/containerd/blob/main/core/images/annotations.go>
const CONTAINERD_NAME: &str = "io.containerd.image.name";
/// The same: the tag alone. <https://github.com/opencontainers/image-spec/blob/main/annotations.md>
const REFERENCE_NAME: &str = "org.opencontainers.image.ref.name";
/// Manifests, indexes and configurations are read into memory. Registries have to take manifests of 4 MiB.
/// <https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pushing-manifests>
pub const MOST_BYTES: u64 = 4 << 20;
/// More manifests than any image has: what has more is made to keep its reader busy.
const MOST_MANIFESTS: usize = 200;

/// An image, of one platform or of several, and what is attached to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    /// The name and tag that it gives itself.
    pub name: Option<String>,
    /// The image: an index, or the manifest of a single platform. Its digest is the image's identity.
    pub root: Blob,
    /// The manifests that an index names, in its order.
    pub manifests: Vec<Blob>,
    /// What an index names and is not there, or not whole: `docker save` keeps the index of all platforms and the image of one.
    pub absent: Vec<Descriptor>,
    /// Configurations and layers, each once.
    pub blobs: Vec<Blob>,
    /// Manifests that are about the image: software bill of materials, provenance, signatures.
    pub referrers: Vec<Blob>,
}

/// A layout that is refused.
#[derive(Debug, thiserror::Error)]
pub enum LayoutError {
    /// A file is missing.
    #[error("it has no `{0}`")]
    Missing(String),
    /// An index names more than there is.
    #[error("the image for {0} is only named, and not there")]
    Absent(String),
    /// A file cannot be read.
    #[error("`{0}` cannot be read: {1}")]
    Unreadable(String, #[source] std::io::Error),
    /// A document that is read as a whole is too large to be one.
    #[error("`{0}` has {1} bytes, and the largest allowed is {MOST_BYTES}")]
    Large(String, u64),
    /// A document is not what it should be.
    #[error("`{0}` is no {1}: {2}")]
    Malformed(String, &'static str, String),
    /// The name of a blob.
    #[error("`{0}` is no SHA-256 digest")]
    Digest(String),
    /// The bytes are not those of the digest.
    #[error("the blob `{0}` has other bytes: {1}")]
    Damaged(String, String),
    /// Neither manifest nor index.
    #[error("`{0}` has the media type `{1}`, which is neither an image nor an index")]
    MediaType(String, String),
    /// Not one image.
    #[error("it has {0} images, and one is expected")]
    Images(usize),
    /// An index that names an index.
    #[error("the index names the index `{0}`")]
    Nested(String),
    /// Too many.
    #[error("it names more than {MOST_MANIFESTS} manifests")]
    Many,
}

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
    fn digest(&self, path: &str) -> std::io::Result<String>;
    /// Where a file is.
    fn source(&self, path: &str) -> BlobSource;
}

/// A manifest in index.json, and what it is about.
struct Named {
    descriptor: Descriptor,
    blob: Blob,
    is_referrer: bool,
}

impl Layout {
    /// The image's identity.
    pub fn digest(&self) -> &str {
        &self.root.digest
    }

    /// Reads a layout. Everything in it is checked: that it is there, its size and its digest.
    ///
    /// # Errors
    /// When it is no layout, damaged, or not of one image.
    pub fn read(files: &impl Files) -> Result<Self, LayoutError> {
        let layout = Self::outline(files)?;
        let reader = Reader(files);
        layout.blobs.iter().try_for_each(|blob| reader.check(blob))?;
        Ok(layout)
    }

    /// Reads a layout but for what is in its configurations and layers: that these are there and their size is checked, and
    /// their digest is left to who gets them. Each of their bytes would be read a second time for it.
    ///
    /// # Errors
    /// When it is no layout, damaged, or not of one image.
    pub fn outline(files: &impl Files) -> Result<Self, LayoutError> {
        let reader = Reader(files);
        reader.document(MARKER.0)?;
        let index: Index = parse(INDEX_FILE, &reader.document(INDEX_FILE)?)?;
        if index.manifests.len() > MOST_MANIFESTS {
            return Err(LayoutError::Many);
        }
        let named = index.manifests.into_iter().map(|descriptor| reader.named(descriptor));
        let named = named.collect::<Result<Vec<_>, _>>()?;
        let (referrers, mut images): (Vec<_>, Vec<_>) = named.into_iter().partition(|named| named.is_referrer);
        // One image with several names is there several times.
        images.dedup_by(|left, right| left.blob.digest == right.blob.digest);
        let count = images.len();
        let Some(Named {
            descriptor, blob: root, ..
        }) = images.pop().filter(|_| count == 1)
        else {
            return Err(LayoutError::Images(count));
        };
        let (manifests, absent) = reader.manifests(&root)?;
        let referrers: Vec<Blob> = referrers.into_iter().map(|named| named.blob).collect();
        let mut blobs = Vec::new();
        let mut seen = BTreeSet::new();
        for manifest in std::iter::once(&root).chain(&manifests).chain(&referrers) {
            if is_index(&manifest.media_type) {
                continue;
            }
            let (config, layers) = parts(manifest)?;
            for descriptor in std::iter::once(config).chain(layers) {
                if seen.insert(descriptor.digest.clone()) {
                    blobs.push(reader.blob(&descriptor)?);
                }
            }
        }
        Ok(Self {
            name: name(&descriptor),
            root,
            manifests,
            absent,
            blobs,
            referrers,
        })
    }

    /// The image of one platform out of an index, without what is attached to the index; none when there is no such image.
    pub fn select_platform(mut self, platform: &str) -> Option<Self> {
        let is_wanted = |entry: &Descriptor| {
            entry
                .platform
                .as_ref()
                .is_some_and(|found| found.to_string() == platform)
        };
        let entry = Index::of(&self.root).manifests.into_iter().find(is_wanted)?;
        let root = self
            .manifests
            .into_iter()
            .find(|manifest| manifest.digest == entry.digest)?;
        let (config, layers) = parts(&root).ok()?;
        let own: BTreeSet<String> = std::iter::once(config).chain(layers).map(|blob| blob.digest).collect();
        self.blobs.retain(|blob| own.contains(&blob.digest));
        Some(Self {
            name: self.name,
            root,
            manifests: Vec::new(),
            absent: Vec::new(),
            blobs: self.blobs,
            referrers: Vec::new(),
        })
    }

    /// Refuses an index some of whose images are not there.
    ///
    /// # Errors
    /// When there is one.
    pub fn require_complete(self) -> Result<Self, LayoutError> {
        match self.absent.first() {
            Some(absent) => Err(LayoutError::Absent(title(absent))),
            None => Ok(self),
        }
    }

    /// What is only named, by platform.
    pub fn absent_platforms(&self) -> BTreeSet<String> {
        self.absent.iter().map(title).collect()
    }

    /// A blob by its digest: a configuration or a layer.
    pub fn blob(&self, digest: &str) -> Option<&Blob> {
        self.blobs.iter().find(|blob| blob.digest == digest)
    }

    /// The text of index.json: it names the image and what is attached to it, outside of the digest.
    pub fn index(&self) -> Vec<u8> {
        let mut root = self.root.descriptor();
        if let Some(name) = &self.name {
            root.annotations.insert(CONTAINERD_NAME.into(), name.clone());
            let tag = name.rsplit(':').next().unwrap_or_default();
            root.annotations.insert(REFERENCE_NAME.into(), tag.to_owned());
        }
        let referrers = self.referrers.iter().map(|blob| Descriptor {
            artifact_type: Manifest::of(blob).artifact_type,
            ..blob.descriptor()
        });
        super::json(&Index {
            schema_version: 2,
            media_type: INDEX.to_owned(),
            manifests: std::iter::once(root).chain(referrers).collect(),
            ..Index::default()
        })
    }

    /// Bytes that a node pulls for the platform of one manifest: its configuration and its layers.
    pub fn pulled_size(&self, manifest: &Blob) -> u64 {
        let Manifest { config, layers, .. } = Manifest::of(manifest);
        config.size + layers.iter().map(|layer| layer.size).sum::<u64>()
    }

    /// The image without what is attached to it.
    #[must_use]
    pub fn without_attachments(mut self) -> Self {
        let attached: Vec<Manifest> = self.referrers.drain(..).map(|blob| Manifest::of(&blob)).collect();
        let attached = attached
            .iter()
            .flat_map(|manifest| manifest.layers.iter().chain([&manifest.config]));
        let digests: BTreeSet<&str> = attached.map(|descriptor| descriptor.digest.as_str()).collect();
        self.blobs.retain(|blob| !digests.contains(blob.digest.as_str()));
        self
    }

    /// Every blob, manifests included.
    pub fn all_blobs(&self) -> impl Iterator<Item = &Blob> {
        let documents = std::iter::once(&self.root)
            .chain(&self.manifests)
            .chain(&self.referrers);
        self.blobs.iter().chain(documents)
    }
}

/// The path of a blob in a layout. Only digests make paths, so that none leads elsewhere.
pub fn path(digest: &str) -> Option<String> {
    let digits = digest.strip_prefix("sha256:")?;
    let hexadecimal = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    (digits.len() == 64 && digits.bytes().all(hexadecimal)).then(|| format!("blobs/sha256/{digits}"))
}

/// The manifests that an index names.
///
/// # Errors
/// When it is no index, or names something else than images.
pub fn images(index: &Blob) -> Result<Vec<Descriptor>, LayoutError> {
    let Index { manifests, .. } = parse(&index.digest, index.bytes())?;
    if manifests.len() > MOST_MANIFESTS {
        return Err(LayoutError::Many);
    }
    for Descriptor { media_type, digest, .. } in &manifests {
        if is_index(media_type) {
            return Err(LayoutError::Nested(digest.clone()));
        }
        kind(digest, media_type)?;
    }
    Ok(manifests)
}

/// The configuration of a manifest, and its layers.
///
/// # Errors
/// When it is no manifest.
pub fn parts(manifest: &Blob) -> Result<(Descriptor, Vec<Descriptor>), LayoutError> {
    kind(&manifest.digest, &manifest.media_type)?;
    let Manifest { config, layers, .. } = parse(&manifest.digest, manifest.bytes())?;
    Ok((config, layers))
}

/// Nothing that is neither an image nor an index is read any further.
fn kind(digest: &str, media_type: &str) -> Result<(), LayoutError> {
    match is_index(media_type) || is_manifest(media_type) {
        true => Ok(()),
        false => Err(LayoutError::MediaType(digest.to_owned(), media_type.to_owned())),
    }
}

/// Whether a media type is one of an index.
pub fn is_index(media_type: &str) -> bool {
    [INDEX, DOCKER_INDEX].contains(&media_type)
}

fn is_manifest(media_type: &str) -> bool {
    [MANIFEST, DOCKER_MANIFEST].contains(&media_type)
}

fn name(descriptor: &Descriptor) -> Option<String> {
    let annotation = |name: &str| descriptor.annotations.get(name).cloned();
    annotation(CONTAINERD_NAME).or_else(|| annotation(REFERENCE_NAME))
}

fn parse<T: for<'a> Deserialize<'a>>(name: &str, bytes: &[u8]) -> Result<T, LayoutError> {
    let kind = std::any::type_name::<T>().rsplit("::").next().unwrap_or_default();
    serde_json::from_slice(bytes).map_err(|error| LayoutError::Malformed(name.to_owned(), kind, error.to_string()))
}

fn check_digest(blob: &Blob, found: &str) -> Result<(), LayoutError> {
    match found == blob.digest {
        true => Ok(()),
        false => Err(LayoutError::Damaged(
            blob.digest.clone(),
            format!("their digest is {found}"),
        )),
    }
}

struct Reader<'f, F>(&'f F);

impl<F: Files> Reader<'_, F> {
    fn document(&self, path: &str) -> Result<Vec<u8>, LayoutError> {
        let size = self.0.size(path).ok_or_else(|| LayoutError::Missing(path.to_owned()))?;
        if size > MOST_BYTES {
            return Err(LayoutError::Large(path.to_owned(), size));
        }
        self.0
            .read(path)
            .map_err(|error| LayoutError::Unreadable(path.to_owned(), error))
    }

    /// A blob that is there and has the size that it should have.
    fn blob(&self, descriptor: &Descriptor) -> Result<Blob, LayoutError> {
        let digest = &descriptor.digest;
        let path = path(digest).ok_or_else(|| LayoutError::Digest(digest.clone()))?;
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
    fn check(&self, blob: &Blob) -> Result<(), LayoutError> {
        let path = path(&blob.digest).ok_or_else(|| LayoutError::Digest(blob.digest.clone()))?;
        let found = self.0.digest(&path);
        check_digest(blob, &found.map_err(|error| LayoutError::Unreadable(path, error))?)
    }

    /// A blob with its bytes, which are those of a document.
    fn read(&self, descriptor: &Descriptor) -> Result<Blob, LayoutError> {
        let mut blob = self.blob(descriptor)?;
        let path = path(&blob.digest).unwrap_or_default();
        blob.source = BlobSource::Bytes(self.document(&path)?);
        check_digest(&blob, &digest::oci(blob.bytes()))?;
        Ok(blob)
    }

    fn named(&self, descriptor: Descriptor) -> Result<Named, LayoutError> {
        let Descriptor { media_type, digest, .. } = &descriptor;
        kind(digest, media_type)?;
        let blob = self.read(&descriptor)?;
        let is_referrer = is_manifest(media_type) && parse::<Manifest>(digest, blob.bytes())?.subject.is_some();
        Ok(Named {
            descriptor,
            blob,
            is_referrer,
        })
    }

    /// The manifests of an index, and what it only names. One image at least has to be there.
    fn manifests(&self, root: &Blob) -> Result<(Vec<Blob>, Vec<Descriptor>), LayoutError> {
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

/// What an index has, for people.
pub fn title(entry: &Descriptor) -> String {
    match (entry.annotations.get(ATTACHED_ANNOTATION), &entry.platform) {
        (Some(kind), _) => format!("{kind} {}", entry.digest),
        (None, Some(platform)) => platform.to_string(),
        (None, None) => entry.digest.clone(),
    }
}
