use std::sync::LazyLock;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair};

use super::envelope::EnvelopeError;
use super::key::P256_PREFIX;
use super::*;
use crate::Digest;

const ABC: &str = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

/// A key in the two forms that OpenSSL writes.
struct Pem {
    private: String,
    public: String,
}

static DIGEST: LazyLock<Digest> = LazyLock::new(|| ABC.parse().unwrap());
static KEY: LazyLock<Pem> = LazyLock::new(pem);
static OTHER: LazyLock<Pem> = LazyLock::new(pem);

fn pem() -> Pem {
    let (algorithm, random) = (&ECDSA_P256_SHA256_ASN1_SIGNING, SystemRandom::new());
    let private = EcdsaKeyPair::generate_pkcs8(algorithm, &random).unwrap();
    let pair = EcdsaKeyPair::from_pkcs8(algorithm, private.as_ref(), &random).unwrap();
    let public = [P256_PREFIX, pair.public_key().as_ref()].concat();
    let block = |title: &str, der: &[u8]| {
        let text = STANDARD.encode(der);
        format!("-----BEGIN {title}-----\n{text}\n-----END {title}-----\n")
    };
    Pem {
        private: block("PRIVATE KEY", private.as_ref()),
        public: block("PUBLIC KEY", &public),
    }
}

fn signed(existing: Option<&[u8]>) -> Option<Signed> {
    let key = PrivateKey::from_pem(KEY.private.as_bytes()).unwrap();
    sign(&key, "registry.test/orders", &DIGEST, existing).unwrap()
}

fn verdict(key: &str, digest: &Digest, signed: &Signed, repository: &str) -> Verdict {
    let key = PublicKey::from_pem(key.as_bytes()).unwrap();
    let found = candidates(&signed.manifest).unwrap();
    let verdicts = found
        .iter()
        .map(|candidate| candidate.verify(&key, digest, &signed.payload, |named| named == repository));
    verdicts.max().unwrap()
}

fn proves(key: &str, digest: &Digest, signed: &Signed) -> bool {
    verdict(key, digest, signed, "registry.test/orders") == Verdict::Good
}

#[test]
fn a_signature_is_of_the_image_in_its_repository() {
    let signed = signed(None).unwrap();
    let expected = Verdict::OtherRepository("registry.test/orders".into());
    assert_eq!(verdict(&KEY.public, &DIGEST, &signed, "registry.test/events"), expected);
    // Who has not signed it at all is no other repository.
    assert_eq!(
        verdict(&OTHER.public, &DIGEST, &signed, "registry.test/events"),
        Verdict::Nothing
    );
}

/// A bundle as cosign 3 writes it with `--key`.
fn bundle(statement: &serde_json::Value) -> Vec<u8> {
    let key = PrivateKey::from_pem(KEY.private.as_bytes()).unwrap();
    let sealed = envelope::seal(&key, statement.to_string().as_bytes()).unwrap();
    let mut sealed: serde_json::Value = serde_json::from_slice(&sealed).unwrap();
    sealed["signatures"][0].as_object_mut().unwrap().remove("keyid");
    let bundle = serde_json::json!({
        "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
        "verificationMaterial": {"publicKey": {"hint": "x"}},
        "dsseEnvelope": sealed,
    });
    bundle.to_string().into_bytes()
}

#[test]
fn a_bundle_is_a_signature_of_what_it_says() {
    let key = |pem: &str| PublicKey::from_pem(pem.as_bytes()).unwrap();
    let statement = |kind: &str, name: &str, digest: &str| {
        serde_json::json!({
            "_type": "https://in-toto.io/Statement/v1",
            "subject": [{"name": name, "digest": {"sha256": digest.trim_start_matches("sha256:")}}],
            "predicateType": kind,
            "predicate": {},
        })
    };
    let signature = "https://sigstore.dev/cosign/sign/v1";
    let here = "registry.test/orders";
    let other_digest = "0".repeat(64);
    let elsewhere = Verdict::OtherRepository("registry.test/events".into());
    for (kind, name, digest, pem, expected) in [
        (signature, "", ABC, &KEY.public, Ok(Verdict::Good)),
        (signature, here, ABC, &KEY.public, Ok(Verdict::Good)),
        (signature, "registry.test/events", ABC, &KEY.public, Ok(elsewhere)),
        (signature, here, &other_digest, &KEY.public, Ok(Verdict::Nothing)),
        (
            "https://cyclonedx.org/bom",
            here,
            ABC,
            &KEY.public,
            Ok(Verdict::Nothing),
        ),
        (signature, here, ABC, &OTHER.public, Err(EnvelopeError::Others)),
    ] {
        let sealed = bundle::envelope(&bundle(&statement(kind, name, digest))).unwrap();
        let found = bundle::verify(&key(pem), &DIGEST, &sealed, |named| named == here);
        assert_eq!(found, expected, "{kind} {name} {digest}");
    }
    let good = String::from_utf8(bundle(&statement(signature, "", ABC))).unwrap();
    for wrong in [
        "",
        "{}",
        &good.replace("sigstore.bundle", "other"),
        &good.replace("dsseEnvelope", "messageSignature"),
    ] {
        assert_eq!(bundle::envelope(wrong.as_bytes()), None, "{wrong}");
    }
}

#[test]
fn only_the_signer_of_that_digest_is_believed() {
    let signed = signed(None).unwrap();
    assert!(proves(&KEY.public, &DIGEST, &signed));
    assert!(!proves(&OTHER.public, &DIGEST, &signed));
    assert!(!proves(&KEY.public, &ABC.replace('b', "c").parse().unwrap(), &signed));
    let mut forged = signed.clone();
    forged.payload = String::from_utf8(forged.payload)
        .unwrap()
        .replace("orders", "others")
        .into_bytes();
    assert!(!proves(&KEY.public, &DIGEST, &forged));
}

#[test]
fn signing_again_adds_nothing_and_others_signatures_stay() {
    let first = signed(None).unwrap();
    assert!(signed(Some(&first.manifest)).is_none());
    let foreign = String::from_utf8(first.manifest)
        .unwrap()
        .replace("cosign/signature\":\"M", "cosign/signature\":\"N");
    let both = signed(Some(foreign.as_bytes())).unwrap();
    assert_eq!(candidates(&both.manifest).unwrap().len(), 2);
    assert!(proves(&KEY.public, &DIGEST, &both));
}

#[test]
fn the_document_is_the_one_that_cosign_expects() {
    let payload = String::from_utf8(signed(None).unwrap().payload).unwrap();
    assert_eq!(
        payload,
        format!(
            r#"{{"critical":{{"identity":{{"docker-reference":"registry.test/orders"}},"image":{{"docker-manifest-digest":"{ABC}"}},"type":"cosign container image signature"}},"optional":null}}"#
        )
    );
    assert_eq!(tag(&DIGEST), format!("{}.sig", ABC.replace(':', "-")));
}

#[test]
fn keys_of_other_kinds_are_refused_by_name() {
    let private = |pem: &str| PrivateKey::from_pem(pem.as_bytes()).err();
    assert_eq!(
        private("-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----\n"),
        Some(KeyError::Encrypted)
    );
    assert_eq!(private("key"), Some(KeyError::Form("PRIVATE KEY")));
    assert_eq!(private(&KEY.public), Some(KeyError::Form("PRIVATE KEY")));
    let public = |pem: &str| PublicKey::from_pem(pem.as_bytes()).err();
    assert_eq!(public(&KEY.private), Some(KeyError::Form("PUBLIC KEY")));
    // An Ed25519 key.
    let ed25519 = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n-----END PUBLIC KEY-----\n";
    assert_eq!(public(ed25519), Some(KeyError::Curve));
}

#[test]
fn what_is_no_manifest_of_signatures_is_refused() {
    assert!(candidates(b"{}").is_err());
    let entry = format!(r#"{{"mediaType":"c","digest":"{ABC}","size":1}}"#);
    let many = format!(
        r#"{{"schemaVersion":2,"mediaType":"m","config":{entry},"layers":[{}]}}"#,
        vec![entry.as_str(); 101].join(",")
    );
    assert!(matches!(candidates(many.as_bytes()), Err(SignatureError::Many)));
}

#[test]
fn a_statement_is_believed_of_its_signer_alone() {
    let key = |pem: &str| PublicKey::from_pem(pem.as_bytes()).unwrap();
    let private = PrivateKey::from_pem(KEY.private.as_bytes()).unwrap();
    let sealed = String::from_utf8(envelope::seal(&private, b"{}").unwrap()).unwrap();
    let open = |pem: &str, text: &str| envelope::open(&key(pem), text.as_bytes());
    assert_eq!(open(&KEY.public, &sealed), Ok(b"{}".to_vec()));
    assert_eq!(open(&OTHER.public, &sealed), Err(EnvelopeError::Others));
    // "e30=" is {}.
    let changed = sealed.replace("e30=", "W10=");
    assert_eq!(open(&KEY.public, &changed), Err(EnvelopeError::Changed));
    let unnamed = changed.replace(&key(&KEY.public).fingerprint(), "");
    assert_eq!(open(&KEY.public, &unnamed), Err(EnvelopeError::Others));
    let other_type = sealed.replace("in-toto", "other");
    for text in [&other_type, "", "{}", &sealed.replace("e30=", "?")] {
        assert_eq!(open(&KEY.public, text), Err(EnvelopeError::Form), "{text}");
    }
}

/// As `ssh-keygen -l` prints it of this key.
#[test]
fn a_key_has_the_name_that_openssh_gives_it() {
    let pem = "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEzVea06Kuuv8/3emt+/WN2yYDwj3X3k24/A1ZwRZGSlfqMbTwAGIPVUdD1Y1wkB0EVLnkUH5W69FOE4OrpPJeEA==\n-----END PUBLIC KEY-----\n";
    assert_eq!(
        PublicKey::from_pem(pem.as_bytes()).unwrap().fingerprint(),
        "SHA256:Fv5d0imLXcHq5AXYO4FMwJ4ZAChNlapt9S9BanJpJFI"
    );
}

#[test]
fn statements_join_those_that_are_there() {
    let first = attach(b"one".to_vec(), "a", None).unwrap();
    let both = attach(b"two".to_vec(), "b", Some(&first.manifest)).unwrap();
    assert_eq!(envelopes(&both.manifest, "a").unwrap(), [Digest::of(b"one")]);
    assert_eq!(envelopes(&both.manifest, "b").unwrap(), [Digest::of(b"two")]);
    assert!(envelopes(b"{}", "a").is_err());
    // A manifest of signatures has none.
    assert_eq!(
        envelopes(&signed(None).unwrap().manifest, "a").unwrap(),
        [] as [Digest; 0]
    );
}
