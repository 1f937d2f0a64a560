//! Pure: signatures of images that cosign and this tool both verify.
//!
//! A signature is an image of its own in the same repository, under the tag `sha256-<digits>.sig`: its one layer is a small
//! JSON document that names the digest of what is signed, and the signature of that document's bytes is an annotation of
//! the layer. <https://github.com/sigstore/cosign/blob/main/specs/SIGNATURE_SPEC.md>

mod exceptions;
mod key;
mod manifest;
mod payload;

pub use exceptions::Exceptions;
pub use key::{KeyError, PrivateKey, PublicKey};
pub use manifest::{Candidate, SignatureError, Signed, candidates, sign};
pub use payload::{MEDIA_TYPE, tag, tags};

#[cfg(test)]
mod tests;
