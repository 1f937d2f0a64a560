//! A signed statement: the envelope that in-toto and cosign put around one (DSSE).
//!
//! <https://github.com/secure-systems-lab/dsse/blob/v1.0.2/protocol.md>

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::error::SignatureError;
use super::key::{PrivateKey, PublicKey};

/// The media type of an envelope.
pub const MEDIA_TYPE: &str = "application/vnd.dsse.envelope.v1+json";
/// The payload type.
const STATEMENT: &str = "application/vnd.in-toto+json";

#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct Envelope {
    payload_type: String,
    payload: String,
    signatures: Vec<Signature>,
}

#[derive(Debug, Deserialize, Serialize)]
struct Signature {
    /// Which key it claims to be of. cosign leaves it empty.
    #[serde(default)]
    keyid: String,
    sig: String,
}

/// Why a statement is not believed.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq, PartialOrd, Ord)]
pub enum EnvelopeError {
    /// Other bytes than an envelope.
    #[error("it is not a signed statement")]
    Form,
    /// The key has not signed it.
    #[error("it is not signed by the holder of this key")]
    Others,
    /// The key has signed something else.
    #[error("it names this key, and is not what the key has signed")]
    Changed,
}

/// Signs a statement.
///
/// # Errors
/// When the key cannot sign.
pub fn seal(key: &PrivateKey, statement: &[u8]) -> Result<Vec<u8>, SignatureError> {
    let envelope = Envelope {
        payload_type: STATEMENT.to_owned(),
        payload: STANDARD.encode(statement),
        signatures: vec![Signature {
            keyid: key.public().fingerprint(),
            sig: STANDARD.encode(key.sign(&signed_bytes(STATEMENT, statement))?),
        }],
    };
    serde_json::to_vec(&envelope).map_err(SignatureError::Unwritable)
}

/// The statement in an envelope that the holder of the key has signed.
///
/// # Errors
/// When it is another one, or none.
pub fn open(key: &PublicKey, envelope: &[u8]) -> Result<Vec<u8>, EnvelopeError> {
    let envelope: Envelope = serde_json::from_slice(envelope).map_err(|_| EnvelopeError::Form)?;
    let statement = STANDARD.decode(&envelope.payload).map_err(|_| EnvelopeError::Form)?;
    if envelope.payload_type != STATEMENT {
        return Err(EnvelopeError::Form);
    }
    let bytes = signed_bytes(STATEMENT, &statement);
    let is_good = |signature: &Signature| {
        STANDARD
            .decode(&signature.sig)
            .is_ok_and(|sig| key.has_signed(&bytes, &sig))
    };
    if envelope.signatures.iter().any(is_good) {
        return Ok(statement);
    }
    let fingerprint = key.fingerprint();
    let is_named = envelope
        .signatures
        .iter()
        .any(|signature| signature.keyid == fingerprint);
    Err(if is_named {
        EnvelopeError::Changed
    } else {
        EnvelopeError::Others
    })
}

/// The signed bytes, DSSE's pre-authentication encoding: the type and the statement, with their lengths.
fn signed_bytes(kind: &str, statement: &[u8]) -> Vec<u8> {
    let head = format!("DSSEv1 {} {kind} {} ", kind.len(), statement.len());
    [head.as_bytes(), statement].concat()
}
