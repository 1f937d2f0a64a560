//! Pure: which of an image's platforms becomes a bundle.

use std::collections::BTreeSet;

use crate::Digest;
use crate::image::layout::{LayoutError, is_index};
use crate::image::specification::{Descriptor, Index, Platform};
use crate::image::{Blob, Layout};

/// What images of Wasm alone call their platform.
const WASM: &[&str] = &["wasi/wasm", "wasi/wasm32", "wasip1/wasm"];

/// Why no image is chosen.
#[derive(Debug)]
pub enum ChoiceError {
    /// None is for the platform: those that there are.
    Platforms(BTreeSet<String>),
    /// The index cannot be read.
    Layout(LayoutError),
}

/// The manifest for a platform such as linux/amd64. Without a choice it is this machine's, or else the one of Wasm, which is
/// the same everywhere.
///
/// # Errors
/// When it is none of the platforms that are there, or the index cannot be read.
pub fn choose<'a>(layout: &'a Layout, wanted: Option<&str>, architecture: &str) -> Result<&'a Blob, ChoiceError> {
    if !is_index(&layout.root.media_type) {
        return Ok(&layout.root);
    }
    let entries = Index::from_blob(&layout.root).map_err(ChoiceError::Layout)?.manifests;
    let is_there = |digest: &Digest| layout.manifests.iter().find(|blob| blob.digest == *digest);
    for name in names(wanted, architecture) {
        let found = entries.iter().find(|entry| matches_platform(entry, &name));
        if let Some(manifest) = found.and_then(|entry| is_there(&entry.digest)) {
            return Ok(manifest);
        }
    }
    // What buildx attaches has the platform unknown/unknown.
    let platforms = entries.iter().filter_map(|entry| entry.platform.as_ref());
    let platforms = platforms.filter(|platform| platform.os != "unknown");
    Err(ChoiceError::Platforms(platforms.map(ToString::to_string).collect()))
}

/// Whether an image of an index may be the one that [`choose`] takes: no other need be brought here.
pub fn is_candidate(entry: &Descriptor, wanted: Option<&str>, architecture: &str) -> bool {
    names(wanted, architecture)
        .iter()
        .any(|name| matches_platform(entry, name))
}

/// The platforms that do, the best one first.
fn names(wanted: Option<&str>, architecture: &str) -> Vec<String> {
    match wanted {
        Some(name) => vec![name.to_owned()],
        None => std::iter::once(format!("linux/{architecture}"))
            .chain(WASM.iter().map(ToString::to_string))
            .collect(),
    }
}

/// Whether its platform is the named one, whose variant need not be said.
fn matches_platform(entry: &Descriptor, name: &str) -> bool {
    entry.platform.as_ref().is_some_and(|platform| {
        let Platform { os, architecture, .. } = platform;
        format!("{os}/{architecture}") == name || platform.to_string() == name
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::specification::{INDEX, MANIFEST};

    fn layout(platforms: &[(&str, &str, Option<&str>)]) -> Layout {
        let manifests: Vec<Blob> = (0..platforms.len())
            .map(|number| Blob::from_bytes(MANIFEST, vec![number as u8]))
            .collect();
        let entries = platforms
            .iter()
            .zip(&manifests)
            .map(|((os, architecture, variant), blob)| Descriptor {
                platform: Some(Platform {
                    os: (*os).to_owned(),
                    architecture: (*architecture).to_owned(),
                    variant: variant.map(str::to_owned),
                }),
                ..blob.descriptor()
            });
        let index = Index {
            schema_version: 2,
            manifests: entries.collect(),
            ..Index::default()
        };
        Layout {
            name: None,
            root: Blob::from_bytes(INDEX, serde_json::to_vec(&index).unwrap()),
            manifests,
            absent: Vec::new(),
            blobs: Vec::new(),
            referrers: Vec::new(),
        }
    }

    #[test]
    fn this_machine_comes_first_and_wasm_second() {
        let both = layout(&[
            ("wasi", "wasm", None),
            ("linux", "arm64", Some("v8")),
            ("linux", "amd64", None),
        ]);
        let wasm = layout(&[("wasi", "wasm", None)]);
        let s390x = layout(&[("linux", "s390x", None), ("unknown", "unknown", None)]);
        let none = |names: &[&str]| Err(names.iter().map(|name| (*name).to_owned()).collect());
        for (layout, wanted, expected) in [
            (&both, None, Ok(2)),
            (&both, Some("linux/arm64"), Ok(1)),
            (&both, Some("linux/arm64/v8"), Ok(1)),
            (&both, Some("wasi/wasm"), Ok(0)),
            (
                &both,
                Some("linux/arm64/v7"),
                none(&["linux/amd64", "linux/arm64/v8", "wasi/wasm"]),
            ),
            (&wasm, None, Ok(0)),
            (&s390x, None, none(&["linux/s390x"])),
        ] {
            let found = match choose(layout, wanted, "amd64") {
                Ok(blob) => Ok(blob.bytes()[0]),
                Err(ChoiceError::Platforms(platforms)) => Err(platforms),
                Err(ChoiceError::Layout(error)) => panic!("{error}"),
            };
            assert_eq!(found, expected, "{wanted:?}");
        }
    }
}
