//! Keys on the curve P-256, in the two PEM forms that OpenSSL writes.

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair, UnparsedPublicKey,
};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{PrivatePkcs8KeyDer, SubjectPublicKeyInfoDer};
use sha2::{Digest, Sha256};
use thiserror::Error;

/// What stands before the point of every public key on P-256: its algorithm and curve.
/// <https://datatracker.ietf.org/doc/html/rfc5480#section-2>
pub const P256_PREFIX: &[u8] = &[
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce,
    0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];

/// Why a key cannot be used.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum KeyError {
    /// Not the expected PEM block.
    #[error("it has no `{0}` block")]
    Form(&'static str),
    /// cosign's own form, which has a password.
    #[error("it is encrypted, as `cosign generate-key-pair` makes it; this tool reads keys without a password")]
    Encrypted,
    /// Another algorithm.
    #[error("it is not a P-256 key")]
    Curve,
    /// The system gives no random numbers.
    #[error("the system has no random numbers for a signature")]
    Random,
}

/// Signs.
pub struct PrivateKey(EcdsaKeyPair);

/// Verifies.
#[derive(Clone, Debug)]
pub struct PublicKey(Vec<u8>);

impl PrivateKey {
    /// Reads what `openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256` writes.
    ///
    /// # Errors
    /// When it is another kind of key, or none.
    pub fn from_pem(pem: &[u8]) -> Result<Self, KeyError> {
        if String::from_utf8_lossy(pem).contains("ENCRYPTED") {
            return Err(KeyError::Encrypted);
        }
        let der = PrivatePkcs8KeyDer::from_pem_slice(pem).map_err(|_| KeyError::Form("PRIVATE KEY"))?;
        let algorithm = &ECDSA_P256_SHA256_ASN1_SIGNING;
        let pair = EcdsaKeyPair::from_pkcs8(algorithm, der.secret_pkcs8_der(), &SystemRandom::new());
        pair.map(Self).map_err(|_| KeyError::Curve)
    }

    /// The key that verifies what this one signs.
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.public_key().as_ref().to_vec())
    }

    /// The signature of some bytes, in ASN.1.
    ///
    /// # Errors
    /// When the system has no random numbers.
    pub fn sign(&self, bytes: &[u8]) -> Result<Vec<u8>, KeyError> {
        let signature = self.0.sign(&SystemRandom::new(), bytes);
        signature
            .map(|signature| signature.as_ref().to_vec())
            .map_err(|_| KeyError::Random)
    }
}

impl PublicKey {
    /// Reads what `openssl pkey -pubout` and `cosign public-key` write.
    ///
    /// # Errors
    /// When it is another kind of key, or none.
    pub fn from_pem(pem: &[u8]) -> Result<Self, KeyError> {
        let der = SubjectPublicKeyInfoDer::from_pem_slice(pem).map_err(|_| KeyError::Form("PUBLIC KEY"))?;
        let point = der.strip_prefix(P256_PREFIX).filter(|point| point.len() == 65);
        point.map(|point| Self(point.to_vec())).ok_or(KeyError::Curve)
    }

    /// The name by which OpenSSH and the libraries of cosign know a key: `SHA256:` and a digest.
    /// <https://www.rfc-editor.org/rfc/rfc5656#section-3.1>
    pub fn fingerprint(&self) -> String {
        let parts: [&[u8]; 3] = [b"ecdsa-sha2-nistp256", b"nistp256", &self.0];
        // Three texts, each after its length.
        let encoded = parts.map(|part| [&[0, 0, 0, part.len() as u8], part].concat()).concat();
        format!("SHA256:{}", STANDARD_NO_PAD.encode(Sha256::digest(encoded)))
    }

    /// Whether the holder of the private key has signed the bytes.
    pub fn has_signed(&self, bytes: &[u8], signature: &[u8]) -> bool {
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, &self.0)
            .verify(bytes, signature)
            .is_ok()
    }
}
