//! Digests of contents, as OCI writes them, and the plain digits of SHA-256.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// The algorithm of what is made here.
const SHA256: &str = "sha256";

/// The digest of some content: the algorithm, a colon and the digits.
///
/// Whoever has one need not check its form again. Others than SHA-256 are read, as an image may name them for platforms that
/// nobody asks for; content with such a digest is refused where it would be read.
/// <https://github.com/opencontainers/image-spec/blob/main/descriptor.md#digests>
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct Digest(String);

/// A text that is no digest.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a digest")]
pub struct DigestError(String);

impl Digest {
    /// The SHA-256 of some bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self::from_hex(&hex(bytes))
    }

    /// The same of everything that a reader gives, however much that is.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn of_reader(mut reader: impl std::io::Read) -> std::io::Result<Self> {
        let mut hasher = Sha256::new();
        let mut buffer = vec![0; 64 * 1024];
        loop {
            match reader.read(&mut buffer)? {
                0 => return Ok(Self::from_hex(&encode(&hasher.finalize()))),
                count => hasher.update(&buffer[..count]),
            }
        }
    }

    /// Algorithm and digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The algorithm: sha256.
    pub fn algorithm(&self) -> &str {
        self.parts().0
    }

    /// The digits alone.
    pub fn hex(&self) -> &str {
        self.parts().1
    }

    /// Whether it is SHA-256, the one by which content can be verified here.
    pub fn is_sha256(&self) -> bool {
        self.algorithm() == SHA256
    }

    /// A tag made from it: an image that is loaded into a node has no registry that could be asked for the digest.
    pub fn to_tag(&self) -> String {
        self.0.replace(':', "-")
    }

    fn from_hex(digits: &str) -> Self {
        Self(format!("{SHA256}:{digits}"))
    }

    fn parts(&self) -> (&str, &str) {
        self.0.split_once(':').unwrap_or((&self.0, ""))
    }
}

/// Of no bytes.
impl Default for Digest {
    fn default() -> Self {
        Self::of(&[])
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl AsRef<str> for Digest {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl PartialEq<str> for Digest {
    fn eq(&self, other: &str) -> bool {
        self.0 == other
    }
}

impl TryFrom<String> for Digest {
    type Error = DigestError;

    fn try_from(text: String) -> Result<Self, DigestError> {
        if is_digest(&text) {
            Ok(Self(text))
        } else {
            Err(DigestError(text))
        }
    }
}

impl FromStr for Digest {
    type Err = DigestError;

    fn from_str(text: &str) -> Result<Self, DigestError> {
        text.to_owned().try_into()
    }
}

/// Of registered algorithms the number of digits is known, of others only which characters there are.
fn is_digest(text: &str) -> bool {
    let Some((algorithm, encoded)) = text.split_once(':') else {
        return false;
    };
    let is_hex = |length: usize| {
        encoded.len() == length && encoded.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    };
    let is_component = |part: &str| {
        !part.is_empty()
            && part
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
    };
    let is_encoded = |byte: u8| byte.is_ascii_alphanumeric() || b"=_-".contains(&byte);
    match algorithm {
        SHA256 => is_hex(64),
        "sha512" => is_hex(128),
        _ => {
            algorithm.split(['+', '.', '_', '-']).all(is_component)
                && !encoded.is_empty()
                && encoded.bytes().all(is_encoded)
        }
    }
}

/// The 64 hexadecimal digits of the SHA-256 of some bytes.
pub fn hex(bytes: &[u8]) -> String {
    encode(&Sha256::digest(bytes))
}

/// The digits of several named parts, each with its length, so that no two lists of parts look the same.
pub fn parts<'a>(parts: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> String {
    let mut hasher = Sha256::new();
    for (name, bytes) in parts {
        for part in [name.as_bytes(), bytes] {
            hasher.update((part.len() as u64).to_le_bytes());
            hasher.update(part);
        }
    }
    encode(&hasher.finalize())
}

fn encode(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ABC: &str = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    #[test]
    fn known_answer() {
        let digest = Digest::of(b"abc");
        assert_eq!(digest, *ABC);
        assert_eq!(digest.algorithm(), "sha256");
        assert_eq!(digest.hex(), hex(b"abc"));
        assert_eq!(digest.to_tag(), ABC.replace(':', "-"));
        let long = vec![7; 200_000];
        assert_eq!(Digest::of_reader(long.as_slice()).unwrap(), Digest::of(&long));
    }

    #[test]
    fn only_what_has_the_form_of_a_digest_is_read() {
        let sha512 = format!("sha512:{}", "0".repeat(128));
        for text in [
            ABC,
            &sha512,
            "multihash+base58:QmRZxt2b1FVZPNqd8hsiykDL3TdBDeTSPX9Kv46HmX4Gx8",
        ] {
            let digest: Digest = serde_json::from_value(text.into()).unwrap();
            assert_eq!(digest, *text);
            assert_eq!(serde_json::to_value(&digest).unwrap(), text);
            assert_eq!(digest.is_sha256(), text == ABC);
        }
        let upper = ABC.to_uppercase();
        let path = ABC.replace("sha256:", "../../x:");
        for text in [
            "",
            "d",
            ":",
            "sha256:",
            "sha256:00",
            "sha512:00",
            "x:",
            ":x",
            "x+:a",
            "x:../a",
            &upper,
            &path,
        ] {
            assert_eq!(text.parse::<Digest>(), Err(DigestError(text.to_owned())), "{text}");
        }
    }

    #[test]
    fn parts_do_not_run_into_each_other() {
        let left = parts([("ab", b"c".as_slice())]);
        let right = parts([("a", b"bc".as_slice())]);
        assert_ne!(left, right);
    }
}
