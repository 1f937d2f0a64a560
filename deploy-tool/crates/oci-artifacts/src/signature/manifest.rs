//! The image that carries signatures: one layer a signature.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::envelope;
use super::error::{MOST_SIGNATURES, SignatureError};
use super::key::{PrivateKey, PublicKey};
use super::payload::{MEDIA_TYPE, Payload};
use crate::Digest;
use crate::image::Blob;
use crate::image::specification::{CONFIGURATION, Descriptor, MANIFEST, Manifest};

/// The annotation of a layer with the signature of its bytes.
const SIGNATURE: &str = "dev.cosignproject.cosign/signature";
/// The annotation of a layer with the kind of its statement.
const PREDICATE: &str = "predicateType";
/// A document to be signed has a few hundred bytes.
const MOST_PAYLOAD_BYTES: u64 = 64 << 10;

/// A signature to push: two blobs, and their manifest.
#[derive(Clone, Debug)]
pub struct Signed {
    /// The document that was signed.
    pub payload: Vec<u8>,
    /// The configuration that an image must have.
    pub configuration: Vec<u8>,
    /// Names both, and the signatures that were there before.
    pub manifest: Vec<u8>,
}

/// Signs a digest in a repository; `existing` is the manifest of the signatures that are there. None when the key has
/// signed it already.
///
/// # Errors
/// When the key cannot sign, or `existing` is no manifest of signatures.
pub fn sign(
    key: &PrivateKey,
    repository: &str,
    digest: &Digest,
    existing: Option<&[u8]>,
) -> Result<Option<Signed>, SignatureError> {
    let layers = existing.map(layers).transpose()?.unwrap_or_default();
    let payload = serde_json::to_vec(&Payload::new(repository, digest)).map_err(SignatureError::Unwritable)?;
    let mut layer = Blob::from_bytes(MEDIA_TYPE, payload.clone()).descriptor();
    let is_ours = |found: &Descriptor| {
        let signature = found
            .annotations
            .get(SIGNATURE)
            .and_then(|text| STANDARD.decode(text).ok());
        found.digest == layer.digest && signature.is_some_and(|bytes| key.public().has_signed(&payload, &bytes))
    };
    if layers.iter().any(is_ours) {
        return Ok(None);
    }
    layer
        .annotations
        .insert(SIGNATURE.to_owned(), STANDARD.encode(key.sign(&payload)?));
    with_layer(layers, layer, payload).map(Some)
}

/// Adds a signed statement to those that are there.
///
/// # Errors
/// When `existing` is no manifest of signed statements.
pub fn attach(envelope: Vec<u8>, predicate: &str, existing: Option<&[u8]>) -> Result<Signed, SignatureError> {
    let layers = existing.map(layers).transpose()?.unwrap_or_default();
    let mut layer = Blob::from_bytes(envelope::MEDIA_TYPE, envelope.clone()).descriptor();
    // cosign requires this annotation, though the signature is in the envelope.
    layer.annotations.insert(SIGNATURE.to_owned(), String::new());
    layer.annotations.insert(PREDICATE.to_owned(), predicate.to_owned());
    with_layer(layers, layer, envelope)
}

/// The digests of the signed statements that a manifest names: those of a kind, as far as that is said.
///
/// # Errors
/// When it is another manifest, or names too many.
pub fn envelopes(manifest: &[u8], predicate: &str) -> Result<Vec<Digest>, SignatureError> {
    let of_kind = |layer: &Descriptor| {
        let layer_predicate = layer.annotations.get(PREDICATE);
        layer.media_type == envelope::MEDIA_TYPE
            && layer_predicate.is_none_or(|layer_predicate| layer_predicate == predicate)
    };
    let layers = layers(manifest)?.into_iter().filter(of_kind);
    Ok(layers.map(|layer| layer.digest).collect())
}

/// The image of these layers and one more.
fn with_layer(mut layers: Vec<Descriptor>, layer: Descriptor, payload: Vec<u8>) -> Result<Signed, SignatureError> {
    layers.push(layer);
    let contents: Vec<&Digest> = layers.iter().map(|layer| &layer.digest).collect();
    let configuration = json!({
        "architecture": "", "os": "", "config": {}, "rootfs": {"type": "layers", "diff_ids": contents},
    });
    let configuration = configuration.to_string().into_bytes();
    let manifest = Manifest {
        schema_version: 2,
        media_type: MANIFEST.to_owned(),
        config: Blob::from_bytes(CONFIGURATION, configuration.clone()).descriptor(),
        layers,
        ..Manifest::default()
    };
    Ok(Signed {
        manifest: serde_json::to_vec(&manifest).map_err(SignatureError::Unwritable)?,
        payload,
        configuration,
    })
}

/// A signature as it is found: to be judged when its document has been fetched.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// The digest of the document.
    pub digest: Digest,
    /// Its bytes.
    pub size: u64,
    signature: Vec<u8>,
}

/// What a signature is worth.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// It is not by the holder of the key, or of something else.
    Nothing,
    /// Valid, but for another repository: the image was copied.
    OtherRepository(String),
    /// It is good.
    Good,
}

impl Verdict {
    /// Of a signature that is good if the repository that it names is the right one. Without a name it is of the digest alone.
    pub(super) fn for_repository(repository: &str, is_right: impl Fn(&str) -> bool) -> Self {
        if repository.is_empty() || is_right(repository) {
            Self::Good
        } else {
            Self::OtherRepository(repository.to_owned())
        }
    }
}

impl Candidate {
    /// Whether the holder of the key has signed the image with that digest in the right repository; `payload` is the document.
    pub fn verify(&self, key: &PublicKey, digest: &Digest, payload: &[u8], is_right: impl Fn(&str) -> bool) -> Verdict {
        let is_signed = key.has_signed(payload, &self.signature);
        let payload = serde_json::from_slice::<Payload>(payload).ok().filter(|_| is_signed);
        match payload.filter(|payload| payload.digest() == Some(digest)) {
            Some(payload) => Verdict::for_repository(payload.repository(), is_right),
            None => Verdict::Nothing,
        }
    }
}

/// The signatures that a manifest names.
///
/// # Errors
/// When it is another manifest, or names too many.
pub fn candidates(manifest: &[u8]) -> Result<Vec<Candidate>, SignatureError> {
    let candidates = layers(manifest)?.into_iter().filter_map(|layer| {
        Some(Candidate {
            signature: STANDARD.decode(layer.annotations.get(SIGNATURE)?).ok()?,
            digest: layer.digest,
            size: layer.size,
        })
    });
    Ok(candidates
        .filter(|candidate| candidate.size <= MOST_PAYLOAD_BYTES)
        .collect())
}

fn layers(manifest: &[u8]) -> Result<Vec<Descriptor>, SignatureError> {
    let manifest: Manifest = serde_json::from_slice(manifest).map_err(SignatureError::Manifest)?;
    if manifest.layers.len() <= MOST_SIGNATURES {
        Ok(manifest.layers)
    } else {
        Err(SignatureError::Many)
    }
}
