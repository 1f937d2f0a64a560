//! Who built an image: provenance that is signed, checked with the real cosign, and what is not believed.

use e2e::CommandOutput;
use e2e::registry::{Image, Registry};
use serde_json::{Value, json};

use crate::Push;
use crate::signatures::{Keys, cosign, text};

const BUILDER: &str = "https://ci.example.com/shop/release@refs/tags/v1";
const PATTERN: &str = "https://ci.example.com/shop/*@refs/tags/v*";

/// An image in a registry without TLS, with provenance that nobody has signed.
struct Pushed {
    registry: Registry,
    reference: String,
}

fn statement(digest: &str) -> Value {
    json!({
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": "shop", "digest": {"sha256": digest.trim_start_matches("sha256:")}}],
        "predicateType": "https://slsa.dev/provenance/v1",
        "predicate": predicate(),
    })
}

fn predicate() -> Value {
    let checkout = json!({"uri": "git+https://example.com/shop", "digest": {"gitCommit": "0123abc"}});
    json!({
        "buildDefinition": {"buildType": "https://example.com/build", "externalParameters": {},
            "resolvedDependencies": [checkout]},
        "runDetails": {"builder": {"id": BUILDER}},
    })
}

impl Pushed {
    fn new() -> Self {
        let registry = Registry::start_plain(&[]);
        let reference = Self::push(&registry, 21, "shop");
        Self { registry, reference }
    }

    fn push(registry: &Registry, seed: u64, name: &str) -> String {
        let image = Image::new(seed, &[1000]);
        image.attach("application/vnd.in-toto+json", &statement(&image.digest));
        let pushed = Push::new(&image, &format!("{}/{name}:1", registry.address)).run();
        pushed.success().stdout.trim().to_owned()
    }

    fn sign(&self, keys: &Keys) -> CommandOutput {
        Push::with_arguments(&["sign", &self.reference, "--key", text(&keys.private())]).run()
    }

    fn verify(&self, keys: &Keys, options: &[&str]) -> CommandOutput {
        let public = keys.public();
        // cosign runs beside the registry, and signs by the name that it has there.
        let beside = self.beside();
        let beside = beside.split('@').next().unwrap();
        let verify = ["verify", &self.reference, "--key", text(&public), "--signed-as", beside];
        Push::with_arguments(&[&verify, options].concat()).run()
    }

    fn refused(&self, keys: &Keys, code: &str) {
        self.verify(keys, &["--builder", PATTERN]).failure(1, &[code]);
    }

    /// The image as a program beside the registry knows it.
    fn beside(&self) -> String {
        format!("localhost:5000/{}", self.reference.split_once('/').unwrap().1)
    }

    fn envelope(&self) -> Value {
        let output = cosign(&self.registry, &[], &["download", "attestation", &self.beside()]).success();
        serde_json::from_str(output.stdout.lines().next().unwrap()).unwrap()
    }

    /// Puts an envelope in the place of all that are there, as somebody would who can write into the repository.
    fn replace(&self, envelope: &Value) {
        let (repository, digest) = self.reference.split_once('@').unwrap();
        let (name, tag) = (repository.split_once('/').unwrap().1, digest.replace(':', "-"));
        let script = format!(
            r#"cd /tmp && printf '%s' '{envelope}' >envelope && echo '{{}}' >config && oras push --plain-http \
               --config config:application/vnd.oci.image.config.v1+json localhost:5000/{name}:{tag}.att \
               envelope:application/vnd.dsse.envelope.v1+json"#
        );
        self.registry.exec(&["sh", "-c", &script]).success();
    }
}

#[test]
#[ignore = "needs Docker, see main.rs"]
fn the_builder_is_believed_of_whoever_signs() {
    let (pushed, keys, others) = (Pushed::new(), Keys::new(), Keys::new());
    let signed = pushed.sign(&keys).success();
    assert_eq!(signed.stdout.trim(), pushed.reference);
    let again = pushed.sign(&keys).success();
    assert_eq!(
        again.stderr.matches("signed by this key already").count(),
        2,
        "{}",
        again.stderr
    );

    let output = pushed.verify(&keys, &["--builder", PATTERN]).success();
    assert_eq!(output.stdout.trim(), pushed.reference);
    for part in [BUILDER, "git+https://example.com/shop", "0123abc", "SHA256:"] {
        assert!(output.stderr.contains(part), "{part}: {}", output.stderr);
    }
    let data = pushed.verify(&keys, &["--output", "json"]).success().stdout;
    let data: Value = serde_json::from_str(data.lines().last().unwrap()).unwrap();
    assert_eq!(data["data"]["builder"], BUILDER);
    assert_eq!(data["data"]["revision"], "0123abc");
    let refused = pushed.verify(&keys, &["--builder", "https://evil.example.com/*"]);
    refused.failure(1, &["error DT0723:", BUILDER]);

    // The real cosign says the same.
    let beside = pushed.beside();
    let attested = |keys: &Keys| {
        let public = std::fs::read_to_string(keys.public()).unwrap();
        let verify = [
            "verify-attestation",
            "--key",
            "env://KEY",
            "--insecure-ignore-tlog",
            "--type",
            "slsaprovenance1",
        ];
        cosign(
            &pushed.registry,
            &[("KEY", &public)],
            &[&verify as &[&str], &[&beside]].concat(),
        )
    };
    attested(&keys).success();
    assert_ne!(attested(&others).code, 0, "cosign believes any key");

    // Somebody else signs as well: both are believed, each of its own.
    pushed.sign(&others).success();
    for keys in [&keys, &others] {
        pushed.verify(keys, &["--builder", PATTERN]).success();
        attested(keys).success();
    }
}

#[test]
#[ignore = "needs Docker, see main.rs"]
fn what_cosign_attests_is_believed_and_what_nobody_signed_is_not() {
    let (mut pushed, keys) = (Pushed::new(), Keys::new());
    let key = pushed
        .registry
        .exec(&["env", "--chdir=/tmp", "COSIGN_PASSWORD=", "cosign", "generate-key-pair"]);
    key.success();
    let public = pushed.registry.exec(&["cat", "/tmp/cosign.pub"]).success().stdout;
    std::fs::write(keys.public(), public).unwrap();
    let beside = pushed.beside();
    let options = ["--yes", "--tlog-upload=false", "--key", "/tmp/cosign.key"];
    cosign(
        &pushed.registry,
        &[],
        &[&["sign"] as &[&str], &options, &[&beside]].concat(),
    )
    .success();
    // The image is signed, and what is attached is not.
    pushed.refused(&keys, "error DT0719:");
    let plain = pushed.verify(&keys, &[]).success();
    assert!(plain.stderr.contains("not known"), "{}", plain.stderr);

    let script = format!("printf '%s' '{}' >/tmp/predicate", predicate());
    pushed.registry.exec(&["sh", "-c", &script]).success();
    let kind = ["--type", "slsaprovenance1", "--predicate", "/tmp/predicate"];
    cosign(
        &pushed.registry,
        &[],
        &[&["attest"] as &[&str], &options, &kind, &[&beside]].concat(),
    )
    .success();
    pushed.verify(&keys, &["--builder", PATTERN]).success();

    // A statement about another image is not signed.
    let image = Image::new(23, &[1000]);
    image.attach("application/vnd.in-toto+json", &statement("sha256:12"));
    let output = Push::new(&image, &format!("{}/other:1", pushed.registry.address))
        .run()
        .success();
    pushed.reference = output.stdout.trim().to_owned();
    pushed
        .sign(&Keys::new())
        .failure(1, &["error DT0722:", "it is about sha256:12"]);
}

#[test]
#[ignore = "needs Docker, see main.rs"]
fn provenance_that_was_changed_moved_or_signed_by_others_is_refused() {
    let (mut pushed, keys, others) = (Pushed::new(), Keys::new(), Keys::new());
    pushed.sign(&others).success();
    let of_others = pushed.envelope();
    pushed.sign(&keys).success();
    pushed.replace(&of_others);
    pushed.refused(&keys, "error DT0720:");

    // Without asking for a builder it is a warning: the image itself is signed.
    let output = pushed.verify(&keys, &["--output", "json"]).success();
    assert!(
        output.stdout.contains("not signed by the holder of this key"),
        "{}",
        output.stdout
    );
    let output: Value = serde_json::from_str(output.stdout.lines().last().unwrap()).unwrap();
    let mut changed = of_others;
    changed["signatures"][0]["keyid"] = output["data"]["key"].clone();
    pushed.replace(&changed);
    pushed.refused(&keys, "error DT0721:");

    let another = Pushed::push(&pushed.registry, 22, "another");
    let first = std::mem::replace(&mut pushed.reference, another);
    pushed.sign(&keys).success();
    let of_another = pushed.envelope();
    pushed.reference = first;
    pushed.replace(&of_another);
    pushed.refused(&keys, "error DT0722:");
}
