//! Edge: brings an image out of a repository, and only what is needed of it to say what it is.

use std::collections::BTreeMap;
use std::path::Path;

use futures::{StreamExt, TryStreamExt};

use super::connection::Connection;
use super::explain::Problem;
use crate::image::layout::{self, LayoutError};
use crate::image::specification::{ATTACHED_ANNOTATION, Descriptor};
use crate::image::{Blob, BlobSource, Layout};
use crate::signature;

/// How many small documents are on their way at once.
const PARALLEL: usize = 4;
/// More is attached to no image: who attaches more wants to keep readers busy.
const MOST_ATTACHED: usize = 100;

/// Why an image does not come.
#[derive(Debug)]
pub enum PullError {
    /// The registry.
    Registry(Problem),
    /// What it has is no good image.
    Image(LayoutError),
}

impl From<Problem> for PullError {
    fn from(problem: Problem) -> Self {
        Self::Registry(problem)
    }
}

impl From<LayoutError> for PullError {
    fn from(error: LayoutError) -> Self {
        Self::Image(error)
    }
}

/// Brings an image with what is attached to it: documents into memory, layers into a folder, unless they have together
/// more bytes than allowed; then the layout lacks them. None when the registry has no such image.
///
/// # Errors
/// When it cannot be read, or is no image.
pub async fn pull(
    connection: &Connection,
    name: &str,
    folder: &Path,
    most_layer_bytes: u64,
) -> Result<Option<Layout>, PullError> {
    let Some(root) = connection.manifest(name).await? else {
        return Ok(None);
    };
    let manifests = match layout::is_index(&root.media_type) {
        true => {
            let mut images = layout::images(&root)?;
            images.retain(|image| !image.annotations.contains_key(ATTACHED_ANNOTATION));
            let fetched = futures::stream::iter(&images).map(|image| manifest(connection, &image.digest));
            fetched.buffered(PARALLEL).try_collect().await?
        }
        false => Vec::new(),
    };
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
    let configurations = futures::stream::iter(configurations.values()).map(|one| document(connection, one));
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
        blobs,
    }))
}

async fn manifest(connection: &Connection, digest: &str) -> Result<Blob, PullError> {
    let found = connection.manifest(digest).await?;
    Ok(found.ok_or_else(|| LayoutError::Missing(digest.to_owned()))?)
}

async fn document(connection: &Connection, blob: &Descriptor) -> Result<Blob, PullError> {
    let bytes = connection.document(&blob.digest).await?;
    let bytes = bytes.ok_or_else(|| LayoutError::Missing(blob.digest.clone()))?;
    Ok(Blob::of(&blob.media_type, bytes))
}

async fn file(connection: &Connection, blob: &Descriptor, folder: &Path) -> Result<Blob, PullError> {
    // Only digests make paths, so that none leads elsewhere.
    let name = layout::path(&blob.digest).ok_or_else(|| LayoutError::Digest(blob.digest.clone()))?;
    let path = folder.join(name.replace('/', "-"));
    if !connection.save(blob, &path).await? {
        return Err(LayoutError::Missing(blob.digest.clone()).into());
    }
    Ok(Blob {
        media_type: blob.media_type.clone(),
        digest: blob.digest.clone(),
        size: blob.size,
        source: BlobSource::File { path, offset: 0 },
    })
}

/// What names the image as its subject, and what cosign keeps under tags made from its digest.
async fn attached(connection: &Connection, digest: &str) -> Result<Vec<Blob>, Problem> {
    let referrers = connection.referrers(digest).await?.into_iter().map(|one| one.digest);
    let names: Vec<String> = referrers.take(MOST_ATTACHED).chain(signature::tags(digest)).collect();
    let found = futures::stream::iter(&names).map(|name| connection.manifest(name));
    let found: Vec<Option<Blob>> = found.buffered(PARALLEL).try_collect().await?;
    // A list may still name what has been deleted.
    Ok(found.into_iter().flatten().collect())
}
