//! Why an image cannot be signed, or its signatures cannot be read.

use thiserror::Error;

use super::key::KeyError;

/// Limit of signatures, against a denial of service.
pub(super) const MOST_SIGNATURES: usize = 100;

/// Why an image cannot be signed, or its signatures cannot be read.
#[derive(Debug, Error)]
pub enum SignatureError {
    /// The key.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The manifest under the signature tag is of another type.
    #[error("what is under the tag of its signatures is not an image of cosign: {0}")]
    Manifest(#[source] serde_json::Error),
    /// A document cannot be written.
    #[error("it cannot be written as JSON: {0}")]
    Unwritable(#[source] serde_json::Error),
    /// Too many signatures.
    #[error("it has more than {MOST_SIGNATURES} signatures")]
    Many,
}
