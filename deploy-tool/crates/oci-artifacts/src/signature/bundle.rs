//! Sigstore bundles, which cosign 3 attaches to an image: a signed statement with verification material.
//!
//! A bundle is a referrer of the image. With a public key, only its envelope is needed.
//! <https://github.com/sigstore/protobuf-specs/blob/main/protos/sigstore_bundle.proto>

use serde::Deserialize;
use serde_json::Value;

use super::envelope::{self, EnvelopeError};
use super::key::PublicKey;
use super::manifest::Verdict;
use crate::Digest;

/// The beginning of the artifact's type; what follows is the version.
pub const MEDIA_TYPE: &str = "application/vnd.dev.sigstore.bundle";
/// The kind of the statement that is a signature of an image.
/// <https://github.com/sigstore/cosign/blob/main/pkg/types/predicate.go>
const SIGNATURE: &str = "https://sigstore.dev/cosign/sign/v1";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Bundle {
    media_type: String,
    dsse_envelope: Option<Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Statement {
    predicate_type: String,
    subject: Vec<Subject>,
}

#[derive(Deserialize)]
struct Subject {
    #[serde(default)]
    name: String,
    digest: std::collections::BTreeMap<String, String>,
}

/// The envelope in a bundle. One with a bare signature has none.
pub fn envelope(bundle: &[u8]) -> Option<Vec<u8>> {
    let bundle: Bundle = serde_json::from_slice(bundle).ok()?;
    let envelope = bundle
        .dsse_envelope
        .filter(|_| bundle.media_type.starts_with(MEDIA_TYPE))?;
    Some(envelope.to_string().into_bytes())
}

/// Whether an envelope is a signature of the image with that digest by the key. A statement of another type, such as a bill of
/// materials, is none.
///
/// # Errors
/// When it is no signed statement, or signed by another key.
pub fn verify(
    key: &PublicKey,
    digest: &Digest,
    sealed: &[u8],
    is_right: impl Fn(&str) -> bool,
) -> Result<Verdict, EnvelopeError> {
    let statement = envelope::open(key, sealed)?;
    let statement: Statement = serde_json::from_slice(&statement).map_err(|_| EnvelopeError::Form)?;
    if statement.predicate_type != SIGNATURE {
        return Ok(Verdict::Nothing);
    }
    let is_of = |subject: &&Subject| {
        let digits = subject.digest.get(digest.algorithm());
        digits.is_some_and(|digits| digits == digest.hex())
    };
    let verdicts = statement.subject.iter().filter(is_of);
    let best = verdicts
        .map(|subject| Verdict::for_repository(&subject.name, &is_right))
        .max();
    Ok(best.unwrap_or(Verdict::Nothing))
}
