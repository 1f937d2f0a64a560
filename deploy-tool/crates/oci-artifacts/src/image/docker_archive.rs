//! Pure: the list by which `docker load` finds an image in an archive, beside the layout that all others read. Engines from 25
//! on write such archives themselves.
//!
//! <https://github.com/moby/moby/blob/master/image/spec/spec.md#combined-image-json--filesystem-changeset-format>

use serde::Serialize;

use super::layout::{self, Layout, LayoutError, is_index};
use super::specification::Index;
use super::variant::COMPILED_ARCHITECTURE;

/// Its name.
pub const FILE: &str = "manifest.json";
/// A tag beside the one that is made from the digest: the image that was built last, for who names it in a file of Compose.
const LAST: &str = "built";

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Entry {
    config: String,
    repo_tags: Vec<String>,
    layers: Vec<String>,
}

/// Its text: one image, as an engine has no more of a name. None where there is none for the engines of this machine's kind.
///
/// # Errors
/// When the image cannot be read.
pub fn manifest(image: &Layout) -> Result<Option<Vec<u8>>, LayoutError> {
    let manifest = if is_index(&image.root.media_type) {
        let entries = Index::from_blob(&image.root)?.manifests;
        let is_ours = |platform: &super::specification::Platform| {
            platform.os == "linux" && platform.architecture == COMPILED_ARCHITECTURE
        };
        let entry = entries
            .iter()
            .find(|entry| entry.platform.as_ref().is_some_and(is_ours));
        entry.and_then(|entry| image.manifests.iter().find(|manifest| manifest.digest == entry.digest))
    } else {
        Some(&image.root)
    };
    let Some(manifest) = manifest else { return Ok(None) };
    let (configuration, layers) = layout::parts(manifest)?;
    let tags = image.name.iter().flat_map(|name| {
        let repository = name
            .rsplit_once(':')
            .filter(|(_, tag)| !tag.contains('/'))
            .map_or(name.as_str(), |(repository, _)| repository);
        [name.clone(), format!("{repository}:{LAST}")]
    });
    let entry = Entry {
        config: layout::path(&configuration.digest)?,
        repo_tags: tags.collect(),
        layers: layers
            .iter()
            .map(|layer| layout::path(&layer.digest))
            .collect::<Result<_, _>>()?,
    };
    Ok(Some(serde_json::to_vec(&[entry])?))
}
