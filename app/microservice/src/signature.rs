//! HMAC signatures of requests and responses between services that share a secret.
//!
//! There is no TLS between the services, and the address of a Service without ready endpoints may be routed out of the
//! cluster: a host that responds there must not be taken for the receiver, nor one that sends events for the sender.
//! The secret is never sent.

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
    /// A secret with this text.
    pub fn new(text: impl Into<String>) -> Secret {
        Secret(text.into())
    }

    /// The signature of a request with this body.
    pub fn sign_request(&self, body: &[u8]) -> String {
        self.sign(&[b"request", body])
    }

    /// Verifies the signature of a request with this body.
    pub fn verify_request(&self, body: &[u8], signature: &str) -> bool {
        self.verify(&[b"request", body], signature)
    }

    /// The signature of a response with this body, to the request with this signature.
    pub fn sign_response(&self, request_signature: &str, body: &[u8]) -> String {
        self.sign(&[b"answer", request_signature.as_bytes(), body])
    }

    /// Verifies the signature of a response with this body, to the request with this signature.
    pub fn verify_response(&self, request_signature: &str, body: &[u8], signature: &str) -> bool {
        self.verify(&[b"answer", request_signature.as_bytes(), body], signature)
    }

    /// Whether a text is the secret. Compares in constant time.
    pub fn equals(&self, text: &str) -> bool {
        let expected = self.mac(&[]).map(|mac| mac.finalize().into_bytes());
        let mac = Secret::new(text).mac(&[]);
        expected
            .zip(mac)
            .is_some_and(|(expected, mac)| mac.verify(&expected).is_ok())
    }

    fn sign(&self, parts: &[&[u8]]) -> String {
        let digest = self.mac(parts).map(|mac| mac.finalize().into_bytes());
        let mut text = String::from("sha256=");
        for byte in digest.unwrap_or_default() {
            // Writing to a String cannot fail.
            let _ = write!(text, "{byte:02x}");
        }
        text
    }

    /// Compares in constant time.
    fn verify(&self, parts: &[&[u8]], signature: &str) -> bool {
        let digest = signature.strip_prefix("sha256=").and_then(decode_hex);
        digest
            .zip(self.mac(parts))
            .is_some_and(|(digest, mac)| mac.verify_slice(&digest).is_ok())
    }

    /// The MAC of the parts, each of them after its length, so that no two messages have the same bytes. Keys may have
    /// any length.
    fn mac(&self, parts: &[&[u8]]) -> Option<Hmac<Sha256>> {
        let mut mac = Hmac::<Sha256>::new_from_slice(self.0.as_bytes()).ok()?;
        for part in parts {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part);
        }
        Some(mac)
    }
}

fn decode_hex(text: &str) -> Option<Vec<u8>> {
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
        let (secret, other_secret) = (Secret::new("a"), Secret::new("b"));
        let signature = secret.sign_request(b"body");
        assert!(secret.verify_request(b"body", &signature));
        assert!(!other_secret.verify_request(b"body", &signature));
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
        let answer = secret.sign_response(&signature, b"{}");
        assert!(secret.verify_response(&signature, b"{}", &answer));
        assert!(!secret.verify_response(&secret.sign_request(b"another"), b"{}", &answer));
        assert!(!secret.verify_request(b"body", &answer));
        assert_eq!(format!("{secret:?}"), "Secret(hidden)");
    }
}
