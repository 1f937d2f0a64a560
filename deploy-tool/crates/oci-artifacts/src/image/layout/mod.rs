//! Pure: an image with everything that belongs to it, as an OCI layout keeps it, and the rules by which one is read.
//!
//! <https://github.com/opencontainers/image-spec/blob/main/image-layout.md>

use std::collections::BTreeSet;

use super::blob::Blob;
use super::specification::{ATTACHED_ANNOTATION, Descriptor, INDEX, Index, Manifest};
pub use document::{LayoutError, MOST_BYTES, images, is_index, parts, path};
use document::{MOST_MANIFESTS, parse};
pub use reader::Files;
use reader::{ManifestEntry, Reader};

use crate::Digest;

mod document;
mod reader;

/// The marker file of a layout, and its contents.
pub const MARKER: (&str, &str) = ("oci-layout", r#"{"imageLayoutVersion":"1.0.0"}"#);
/// The file that names the images.
pub const INDEX_FILE: &str = "index.json";
/// In an index.json: the full name, for containerd.
/// <https://github.com/containerd/containerd/blob/main/core/images/annotations.go>
const CONTAINERD_NAME: &str = "io.containerd.image.name";
/// The same: the tag alone. <https://github.com/opencontainers/image-spec/blob/main/annotations.md>
const REFERENCE_NAME: &str = "org.opencontainers.image.ref.name";
/// An image of one or several platforms, with its referrers.
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

impl Layout {
    /// The image's identity.
    pub fn digest(&self) -> &Digest {
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

    /// Reads a layout without its configurations and layers: their existence and size are checked, but not their digests. The
    /// receiver verifies these, and reading all bytes twice would be slow.
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
        let Some(ManifestEntry {
            descriptor, blob: root, ..
        }) = images.pop().filter(|_| count == 1)
        else {
            return Err(LayoutError::Images(count));
        };
        let (manifests, absent) = reader.manifests(&root)?;
        let referrers: Vec<Blob> = referrers.into_iter().map(|named| named.blob).collect();
        let mut blobs = Vec::new();
        let mut visited = BTreeSet::new();
        for manifest in std::iter::once(&root).chain(&manifests).chain(&referrers) {
            if is_index(&manifest.media_type) {
                continue;
            }
            let (config, layers) = parts(manifest)?;
            for descriptor in std::iter::once(config).chain(layers) {
                if visited.insert(descriptor.digest.clone()) {
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

    /// The image of one platform of an index, without the referrers of the index; none when there is no such image.
    ///
    /// # Errors
    /// When the index or the image cannot be read.
    pub fn select_platform(mut self, platform: &str) -> Result<Option<Self>, LayoutError> {
        if !is_index(&self.root.media_type) {
            return Ok(None);
        }
        let is_wanted = |entry: &Descriptor| {
            entry
                .platform
                .as_ref()
                .is_some_and(|found| found.to_string() == platform)
        };
        let entry = Index::from_blob(&self.root)?.manifests.into_iter().find(is_wanted);
        let is_chosen = |manifest: &Blob| entry.as_ref().is_some_and(|entry| manifest.digest == entry.digest);
        let Some(root) = self.manifests.into_iter().find(is_chosen) else {
            return Ok(None);
        };
        let (config, layers) = parts(&root)?;
        let own: BTreeSet<Digest> = std::iter::once(config).chain(layers).map(|blob| blob.digest).collect();
        self.blobs.retain(|blob| own.contains(&blob.digest));
        Ok(Some(Self {
            name: self.name,
            root,
            manifests: Vec::new(),
            absent: Vec::new(),
            blobs: self.blobs,
            referrers: Vec::new(),
        }))
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

    /// The platforms whose manifests are missing.
    pub fn absent_platforms(&self) -> BTreeSet<String> {
        self.absent.iter().map(title).collect()
    }

    /// A blob by its digest: a configuration or a layer.
    pub fn blob(&self, digest: &Digest) -> Option<&Blob> {
        self.blobs.iter().find(|blob| blob.digest == *digest)
    }

    /// The text of index.json, with the image and its referrers.
    ///
    /// # Errors
    /// When the manifest of a referrer cannot be read.
    pub fn index(&self) -> Result<Vec<u8>, LayoutError> {
        let mut root = self.root.descriptor();
        if let Some(name) = &self.name {
            root.annotations.insert(CONTAINERD_NAME.into(), name.clone());
            let tag = name.rsplit(':').next().unwrap_or_default();
            root.annotations.insert(REFERENCE_NAME.into(), tag.to_owned());
        }
        let mut manifests = vec![root];
        for blob in &self.referrers {
            manifests.push(Descriptor {
                artifact_type: Manifest::from_blob(blob)?.artifact_type,
                ..blob.descriptor()
            });
        }
        Ok(serde_json::to_vec(&Index {
            schema_version: 2,
            media_type: INDEX.to_owned(),
            manifests,
            ..Index::default()
        })?)
    }

    /// The image without its referrers.
    ///
    /// # Errors
    /// When the manifest of a referrer cannot be read.
    pub fn without_attachments(mut self) -> Result<Self, LayoutError> {
        let attached = self.referrers.drain(..).map(|blob| Manifest::from_blob(&blob));
        let attached: Vec<Manifest> = attached.collect::<Result<_, _>>()?;
        let attached = attached
            .iter()
            .flat_map(|manifest| manifest.layers.iter().chain([&manifest.config]));
        let digests: BTreeSet<&Digest> = attached.map(|descriptor| &descriptor.digest).collect();
        self.blobs.retain(|blob| !digests.contains(&blob.digest));
        Ok(self)
    }

    /// Every blob, manifests included.
    pub fn all_blobs(&self) -> impl Iterator<Item = &Blob> {
        let documents = std::iter::once(&self.root)
            .chain(&self.manifests)
            .chain(&self.referrers);
        self.blobs.iter().chain(documents)
    }
}

/// Bytes that a node pulls for the platform of one manifest: its configuration and its layers.
///
/// # Errors
/// When it is no manifest.
pub fn pulled_size(manifest: &Blob) -> Result<u64, LayoutError> {
    let (config, layers) = parts(manifest)?;
    Ok(config.size + layers.iter().map(|layer| layer.size).sum::<u64>())
}

fn name(descriptor: &Descriptor) -> Option<String> {
    let annotation = |name: &str| descriptor.annotations.get(name).cloned();
    annotation(CONTAINERD_NAME).or_else(|| annotation(REFERENCE_NAME))
}

/// What an index has, for people.
pub fn title(entry: &Descriptor) -> String {
    match (entry.annotations.get(ATTACHED_ANNOTATION), &entry.platform) {
        (Some(kind), _) => format!("{kind} {}", entry.digest),
        (None, Some(platform)) => platform.to_string(),
        (None, None) => entry.digest.to_string(),
    }
}
