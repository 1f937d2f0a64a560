//! `push`, `inspect`, `sign` and `verify` against registries that answer as some public ones do, and a real one cannot be
//! brought to: a small one in memory. What a real one can do is in tests/e2e.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod registry;

use oci_artifacts::image::specification::{INDEX, Index};
use oci_artifacts::signature::{PrivateKey, envelope};
use serde_json::{Value, json};

use registry::{KEY, Manner, PUBLIC, Registry};

#[test]
fn only_a_list_says_what_is_attached() {
    let page = "<!doctype html><title>Sign in</title>";
    let with = |referrers, aliases| Manner {
        referrers,
        aliases,
        ..Manner::default()
    };
    for (why, manner) in [
        ("a page", with(Some((200, page)), false)),
        ("another document", with(Some((200, r#"{"manifests":[]}"#)), false)),
        ("no such interface", with(None, false)),
        ("not allowed", with(Some((405, "")), false)),
        ("the image for its list", with(None, true)),
    ] {
        let registry = Registry::start(manner);
        let (digest, _) = registry.push("a:1");
        let said = registry.succeed(&["inspect", &registry.name("a:1")]);
        let attached = said.split("ATTACHED").nth(1).unwrap();
        assert!(attached.contains("bill of materials"), "{why}: {said}");
        assert!(!attached.contains("something else"), "{why}: {said}");
        let key = registry.file("key.pem", KEY);
        registry.succeed(&["sign", &registry.name("a:1"), "--key", &key]);
        let memory = registry.memory.lock().unwrap();
        let list: Value = serde_json::from_slice(&memory.manifests[&digest.replace(':', "-")].1).unwrap();
        assert_eq!(list["manifests"].as_array().unwrap().len(), 1, "{why}: {list}");
    }
}

#[test]
fn a_registry_that_takes_no_subject_gets_image_and_tag() {
    let registry = Registry::start(Manner {
        refuses_subject: true,
        ..Manner::default()
    });
    for _ in 0..2 {
        let (digest, said) = registry.push("a:1");
        assert!(
            said.contains("does not take a bill of materials") && said.contains("MANIFEST_INVALID"),
            "{said}"
        );
        let memory = registry.memory.lock().unwrap();
        assert_eq!(memory.manifests["1"], memory.manifests[&digest]);
    }
    registry.succeed(&["inspect", &registry.name("a:1")]);
}

#[test]
fn of_several_challenges_the_one_that_is_known_is_taken() {
    for challenge in [
        r#"Bearer realm="REALM",service="s""#,
        r#"Bearer realm="REALM",service="s", Basic realm="r""#,
        r#"Basic realm="r", Bearer realm="REALM",service="s""#,
        r#"Negotiate, Bearer realm="REALM""#,
        "Negotiate YIIabc==, Digest realm=\"a, b\", nonce=\"c\", Bearer realm=\"REALM\"\r\nWWW-Authenticate: NTLM",
    ] {
        let registry = Registry::start(Manner {
            challenge: Some(challenge),
            ..Manner::default()
        });
        registry.fail(&["inspect", &registry.name("a:1")], "is not in its registry");
        // Who only reads tells nobody the password of the environment, who writes tells it the token server.
        let requests = |registry: &Registry| registry.memory.lock().unwrap().requests.join("\n");
        assert!(requests(&registry).contains("/token"), "{challenge}");
        assert!(
            !requests(&registry).contains("Basic "),
            "{challenge}: {}",
            requests(&registry)
        );
        registry.push("a:1");
        let requests = requests(&registry);
        let mut told = requests.lines().filter(|line| line.contains("Basic "));
        assert!(
            told.clone().count() > 0 && told.all(|line| line.contains("/token")),
            "{challenge}: {requests}"
        );
    }
}

#[test]
fn a_helper_that_is_not_there_matters_to_who_wants_a_login() {
    let registry = Registry::start(Manner::default());
    registry.push("a:1");
    for file in [r#"{"credsStore":"of-nobody"}"#, "{", r#"{"auths":{"localhost":5}}"#] {
        registry.file(".docker/config.json", file);
        let said = registry.succeed(&["inspect", &registry.name("a:1")]);
        assert!(said.contains("asked without a login"), "{file}: {said}");
    }
    let closed = Registry::start(Manner {
        challenge: Some("Basic realm=x"),
        ..Manner::default()
    });
    closed.file(".docker/config.json", r#"{"credsStore":"of-nobody"}"#);
    closed.fail(&["inspect", &closed.name("a:1")], "DT0706");
}

#[test]
fn a_signature_is_of_the_image_in_its_repository() {
    let registry = Registry::start(Manner::default());
    let (_, here, there) = (registry.push("a:1"), registry.name("a:1"), registry.name("b:1"));
    let (key, public) = (registry.file("key.pem", KEY), registry.file("key.pub", PUBLIC));
    registry.fail(&["verify", &here, "--key", &public], "DT0716");
    registry.succeed(&["sign", &here, "--key", &key]);
    registry.succeed(&["verify", &here, "--key", &public]);
    // The other repository has the same image and its signature.
    registry.fail(&["verify", &there, "--key", &public], "DT0724");
    let from = registry.name("a");
    registry.succeed(&["verify", &there, "--key", &public, "--signed-as", &from]);
    registry.fail(
        &["verify", &there, "--key", &public, "--signed-as", &registry.name("c")],
        "DT0724",
    );
    registry.succeed(&["sign", &there, "--key", &key]);
    registry.succeed(&["verify", &there, "--key", &public]);
    registry.fail(&["verify", &here, "--key", &public, "--source", "*"], "DT0719");
}

/// What `cosign sign --key` and `cosign attest --key` of release 3 attach.
#[test]
fn the_bundles_of_cosign_3_are_believed() {
    let registry = Registry::start(Manner::default());
    let (digest, _) = registry.push("a:1");
    let (image, public) = (registry.name("a:1"), registry.file("key.pub", PUBLIC));
    let bundle = |kind: &str, predicate: Value| {
        let statement = json!({"_type": "https://in-toto.io/Statement/v1", "predicateType": kind, "predicate": predicate,
            "subject": [{"digest": {"sha256": digest.trim_start_matches("sha256:")}}]});
        let key = PrivateKey::from_pem(KEY.as_bytes()).unwrap();
        let sealed = envelope::seal(&key, statement.to_string().as_bytes()).unwrap();
        let sealed: Value = serde_json::from_slice(&sealed).unwrap();
        let kind = "application/vnd.dev.sigstore.bundle.v0.3+json";
        let bundle =
            json!({"mediaType": kind, "verificationMaterial": {"publicKey": {"hint": "x"}}, "dsseEnvelope": sealed});
        let mut memory = registry.memory.lock().unwrap();
        let entry = memory.attach(kind, &digest, bundle.to_string().into_bytes());
        let tag = digest.replace(':', "-");
        let mut list: Index = serde_json::from_slice(&memory.manifests[&tag].1).unwrap();
        list.manifests.push(entry);
        memory
            .manifests
            .insert(tag, (INDEX.into(), serde_json::to_vec(&list).unwrap()));
    };
    let builder = ["--builder", "https://ci.x.io/*"];
    let verify = ["verify", &image, "--key", &public];
    let built = json!({"runDetails": {"builder": {"id": "https://ci.x.io/1"}}, "buildDefinition":
        {"resolvedDependencies": [{"uri": "git+https://x.io/shop", "digest": {"gitCommit": "78"}}]}});
    bundle("https://slsa.dev/provenance/v1", built);
    // Who says how it was built has not signed it.
    registry.fail(&verify, "DT0716");
    bundle("https://sigstore.dev/cosign/sign/v1", json!({}));
    registry.succeed(&verify);
    let said = registry.succeed(&[&verify[..], &builder, &["--source", "https://x.io/*"]].concat());
    assert!(said.contains("git+https://x.io/shop"), "{said}");
    registry.fail(&[&verify[..], &["--builder", "https://ci.y.io/*"]].concat(), "DT0723");
    registry.fail(
        &[&verify[..], &builder, &["--source", "https://y.io/*"]].concat(),
        "DT0725",
    );
}
