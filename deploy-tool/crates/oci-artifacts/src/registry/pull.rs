//! Edge: pulls an image from a repository, or only the parts that are needed to inspect it.

use std::collections::BTreeMap;
use std::path::Path;

use futures::{StreamExt, TryStreamExt};

use super::connection::Connection;
use super::error::RegistryError;
use crate::Digest;
use crate::image::layout::{self, LayoutError};
use crate::image::specification::{ATTACHED_ANNOTATION, Descriptor};
use crate::image::{Blob, BlobSource, Layout};
use crate::signature;

/// Limit of concurrent requests for documents.
const PARALLEL: usize = 4;

/// Why an image does not come.
#[derive(Debug)]
pub enum PullError {
    /// The registry.
    Registry(RegistryError),
    /// The image is invalid.
    Image(LayoutError),
}

impl From<RegistryError> for PullError {
    fn from(error: RegistryError) -> Self {
        Self::Registry(error)
    }
}

impl From<LayoutError> for PullError {
    fn from(error: LayoutError) -> Self {
        Self::Image(error)
    }
}

/// Pulls an image with its referrers: documents into memory, layers into a folder, unless they exceed the limit together; then
/// the layout lacks them. Of an index, only the wanted images are pulled. None when the registry has no such image.
///
/// # Errors
/// When it cannot be read, or is no image.
pub async fn pull(
    connection: &Connection,
    name: &str,
    folder: &Path,
    most_layer_bytes: u64,
    is_wanted: impl Fn(&Descriptor) -> bool,
) -> Result<Option<Layout>, PullError> {
    let Some(root) = connection.manifest(name).await? else {
        return Ok(None);
    };
    let (mut manifests, mut absent) = (Vec::new(), Vec::new());
    if layout::is_index(&root.media_type) {
        let mut images = layout::images(&root)?;
        images.retain(|image| !image.annotations.contains_key(ATTACHED_ANNOTATION) && is_wanted(image));
        let digests: Vec<Digest> = images.iter().map(|image| image.digest.clone()).collect();
        manifests = connection.manifests(&digests).await?;
        let is_there = |image: &Descriptor| manifests.iter().any(|found| found.digest == image.digest);
        absent = images.into_iter().filter(|image| !is_there(image)).collect();
        if let (true, Some(image)) = (manifests.is_empty(), absent.first()) {
            return Err(LayoutError::Missing(image.digest.to_string()).into());
        }
    }
    let images = if layout::is_index(&root.media_type) {
        manifests.iter().collect()
    } else {
        vec![&root]
    };
    let (mut configurations, mut layers) = (BTreeMap::new(), BTreeMap::new());
    for image in images {
        let (configuration, own) = layout::parts(image)?;
        configurations.insert(configuration.digest.clone(), configuration);
        layers.extend(own.into_iter().map(|layer| (layer.digest.clone(), layer)));
    }
    let configurations =
        futures::stream::iter(configurations.values()).map(|configuration| document(connection, configuration));
    let mut blobs: Vec<Blob> = configurations.buffered(PARALLEL).try_collect().await?;
    let bytes = layers
        .values()
        .fold(0, |sum: u64, layer| sum.saturating_add(layer.size));
    if bytes <= most_layer_bytes {
        for layer in layers.values() {
            blobs.push(file(connection, layer, folder).await?);
        }
    }
    Ok(Some(Layout {
        name: None,
        referrers: attached(connection, &root.digest).await?,
        root,
        manifests,
        absent,
        blobs,
    }))
}

async fn document(connection: &Connection, blob: &Descriptor) -> Result<Blob, PullError> {
    let bytes = connection.document(&blob.digest).await?;
    let bytes = bytes.ok_or_else(|| LayoutError::Missing(blob.digest.to_string()))?;
    Ok(Blob::from_bytes(&blob.media_type, bytes))
}

async fn file(connection: &Connection, blob: &Descriptor, folder: &Path) -> Result<Blob, PullError> {
    // Only digests make paths, so that none leads elsewhere.
    let name = layout::path(&blob.digest)?;
    let path = folder.join(name.replace('/', "-"));
    if !connection.save(blob, &path).await? {
        return Err(LayoutError::Missing(blob.digest.to_string()).into());
    }
    Ok(Blob {
        media_type: blob.media_type.clone(),
        digest: blob.digest.clone(),
        size: blob.size,
        source: BlobSource::File { path, offset: 0 },
    })
}

/// What names the image as its subject, and what cosign keeps under tags made from its digest.
async fn attached(connection: &Connection, digest: &Digest) -> Result<Vec<Blob>, RegistryError> {
    let mut found = connection.referrers(digest).await?;
    found.extend(connection.manifests(&signature::tags(digest)).await?);
    Ok(found)
}
