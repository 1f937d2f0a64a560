//! Describes the referrers of an image.

use serde::Serialize;

use crate::Digest;
use crate::image::layout::{LayoutError, is_index};
use crate::image::specification::{ATTACHED_ANNOTATION, Index, Manifest};
use crate::image::{Layout, artifact};

/// The artifact types of referrers, with descriptions.
const ROLES: &[(&str, &str)] = &[
    ("application/vnd.cyclonedx+json", "bill of materials (CycloneDX)"),
    ("application/spdx+json", "bill of materials (SPDX)"),
    ("application/vnd.in-toto+json", "statement, not signed"),
    (
        "application/vnd.dsse.envelope.v1+json",
        "signed statement, as cosign makes them",
    ),
    (
        "application/vnd.dev.cosign.simplesigning.v1+json",
        "signature, as cosign makes them",
    ),
    (
        "application/vnd.dev.sigstore.bundle",
        "signature or signed statement, as cosign 3 makes them",
    ),
    (
        "application/vnd.cncf.notary.signature",
        "signature, as Notation makes them",
    ),
    ("attestation-manifest", "statements of buildx"),
];

/// Something that is attached to an image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Attached {
    /// The type of the artifact.
    pub kind: String,
    /// What that is, for people.
    pub role: String,
    /// The digest of its manifest.
    pub digest: Digest,
}

impl Attached {
    fn new(kind: &str, count: usize, digest: &Digest) -> Self {
        let role = ROLES.iter().find(|(start, _)| kind.starts_with(start));
        let role = role.map_or("something else", |(_, role)| role);
        Self {
            kind: kind.to_owned(),
            role: match count {
                0 | 1 => role.to_owned(),
                _ => format!("{count} times {role}"),
            },
            digest: digest.clone(),
        }
    }
}

/// What a layout has of that. Anybody who may push may attach something: what cannot be read is of an unknown kind.
///
/// # Errors
/// When the index cannot be read.
pub fn attached(layout: &Layout) -> Result<Vec<Attached>, LayoutError> {
    let referrers = layout.referrers.iter().map(|blob| {
        let manifest = Manifest::from_blob(blob).ok();
        let kind = manifest.as_ref().and_then(artifact::kind).unwrap_or("unknown");
        let count = manifest.as_ref().map_or(0, |manifest| manifest.layers.len());
        Attached::new(kind, count, &blob.digest)
    });
    let entries = if is_index(&layout.root.media_type) {
        Index::from_blob(&layout.root)?.manifests
    } else {
        Vec::new()
    };
    let beside = entries.iter().filter_map(|entry| {
        let kind = entry.annotations.get(ATTACHED_ANNOTATION)?;
        Some(Attached::new(kind, 1, &entry.digest))
    });
    Ok(referrers.chain(beside).collect())
}
