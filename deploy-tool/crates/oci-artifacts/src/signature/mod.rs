//! Pure: signatures of images that cosign and this tool both verify.
//!
//! A signature is an image of its own in the same repository, under the tag `sha256-<digits>.sig`: its one layer is a small
//! JSON document that names the digest of what is signed, and the signature of that document's bytes is an annotation of
//! the layer. <https://github.com/sigstore/cosign/blob/main/specs/SIGNATURE_SPEC.md>
//!
//! A signed statement, such as provenance, is kept likewise under `sha256-<digits>.att`, and its layer is an
//! [`envelope`]. <https://github.com/sigstore/cosign/blob/main/specs/ATTESTATION_SPEC.md>
//!
//! cosign 3 attaches a [`bundle`] instead: the same envelope, and in it a statement also for a mere signature.

pub mod bundle;
pub mod envelope;
mod error;
mod key;
mod manifest;
mod payload;

pub use error::SignatureError;
pub use key::{KeyError, PrivateKey, PublicKey};
pub use manifest::{Candidate, Signed, Verdict, attach, candidates, envelopes, sign};
pub use payload::{MEDIA_TYPE, statements_tag, tag, tags};

#[cfg(test)]
mod tests;
