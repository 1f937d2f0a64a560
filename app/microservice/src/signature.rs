//! Proof that a message comes from who shares a secret with us, in both directions.
//!
//! Inside of a cluster there is no TLS here, and the address of a Service without ready pods may lead out of it: whoever
//! answers there must not be taken for the receiver, and whoever sends there must not be taken for us. The secret itself is
//! never sent.

use std::fmt::{self, Write};

use hmac::{Hmac, Mac};
use hyper::header::HeaderName;
use sha2::Sha256;

/// The header that carries a signature.
pub const SIGNATURE: HeaderName = HeaderName::from_static("x-signature");

/// A secret that two services share.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secret(hidden)")
    }
}

impl Secret {
    /// Hides this text.
    pub fn new(text: impl Into<String>) -> Secret {
        Secret(text.into())
    }

    /// Signs a request by its body.
    pub fn sign_request(&self, body: &[u8]) -> String {
        self.sign(&[b"request", body])
    }

    /// Whether a request with this body and signature comes from who knows the secret.
    pub fn verify_request(&self, body: &[u8], signature: &str) -> bool {
        self.verify(&[b"request", body], signature)
    }

    /// Signs an answer by its body, to the request of this signature.
    pub fn sign_answer(&self, request: &str, body: &[u8]) -> String {
        self.sign(&[b"answer", request.as_bytes(), body])
    }

    /// Whether an answer comes from who knows the secret, and belongs to the request of this signature.
    pub fn verify_answer(&self, request: &str, body: &[u8], signature: &str) -> bool {
        self.verify(&[b"answer", request.as_bytes(), body], signature)
    }

    /// Whether a text is the secret itself. Compares in the same time wherever they differ.
    pub fn equals(&self, text: &str) -> bool {
        let expected = self.code(&[]).map(|code| code.finalize().into_bytes());
        let code = Secret::new(text).code(&[]);
        expected
            .zip(code)
            .is_some_and(|(expected, code)| code.verify(&expected).is_ok())
    }

    fn sign(&self, parts: &[&[u8]]) -> String {
        let digest = self.code(parts).map(|code| code.finalize().into_bytes());
        let mut text = String::from("sha256=");
        for byte in digest.unwrap_or_default() {
            // Writing to a String cannot fail.
            let _ = write!(text, "{byte:02x}");
        }
        text
    }

    /// Compares in the same time wherever they differ.
    fn verify(&self, parts: &[&[u8]], signature: &str) -> bool {
        let digest = signature.strip_prefix("sha256=").and_then(bytes);
        digest
            .zip(self.code(parts))
            .is_some_and(|(digest, code)| code.verify_slice(&digest).is_ok())
    }

    /// Each part with its length before it, so that no two messages are the same bytes. Keys of any length are taken.
    fn code(&self, parts: &[&[u8]]) -> Option<Hmac<Sha256>> {
        let mut code = Hmac::<Sha256>::new_from_slice(self.0.as_bytes()).ok()?;
        for part in parts {
            code.update(&(part.len() as u64).to_be_bytes());
            code.update(part);
        }
        Some(code)
    }
}

fn bytes(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> = text
        .chars()
        .map(|digit| digit.to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
        .collect();
    let digits = digits?;
    let pairs = digits.chunks(2).map(|pair| match pair {
        [high, low] => Some(high << 4 | low),
        _ => None,
    });
    pairs.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_who_knows_the_secret_signs() {
        let (secret, other) = (Secret::new("a"), Secret::new("b"));
        let signature = secret.sign_request(b"body");
        assert!(secret.verify_request(b"body", &signature));
        assert!(!other.verify_request(b"body", &signature));
        assert!(!secret.verify_request(b"bodY", &signature));
        for wrong in [
            "",
            "sha256=",
            "sha256=0",
            "sha256=zz",
            &signature[..70],
            &signature[7..],
        ] {
            assert!(!secret.verify_request(b"body", wrong), "{wrong}");
        }
        let answer = secret.sign_answer(&signature, b"{}");
        assert!(secret.verify_answer(&signature, b"{}", &answer));
        assert!(!secret.verify_answer(&secret.sign_request(b"another"), b"{}", &answer));
        assert!(!secret.verify_request(b"body", &answer));
        assert_eq!(format!("{secret:?}"), "Secret(hidden)");
    }
}
