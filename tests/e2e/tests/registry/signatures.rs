//! Signatures: ours, those of the real cosign, and what is refused.

use std::path::Path;

use e2e::CommandOutput;
pub use e2e::registry::Keys;
use e2e::registry::{Image, PASSWORD, Registry, USER};

use crate::Push;

pub fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// The real cosign beside the registry, without the public log of signatures.
pub fn cosign(registry: &Registry, variables: &[(&str, &str)], arguments: &[&str]) -> CommandOutput {
    let variables: Vec<String> = variables
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    let variables: Vec<&str> = variables.iter().map(String::as_str).collect();
    registry.exec(
        &[
            &["env", "COSIGN_PASSWORD="] as &[&str],
            &variables,
            &["cosign"],
            arguments,
        ]
        .concat(),
    )
}

const REACHED: [&str; 6] = [
    "--registry-cacert",
    "/tls/ca.crt",
    "--registry-username",
    USER,
    "--registry-password",
    PASSWORD,
];

#[test]
#[ignore = "needs Docker, see main.rs"]
fn signatures_are_understood_by_cosign_and_those_of_cosign_here() {
    let (registry, keys, others) = (Registry::start(), Keys::new(), Keys::new());
    let reference = Push::with_login(&Image::new(7, &[1000]), &registry, "shop/signed:v1", PASSWORD)
        .run()
        .success();
    let reference = reference.stdout.trim();
    let run = |verb: &str, image: &str, key: &Path| Push::verb(&registry, &[verb, image, "--key", text(key)]);

    run("verify", reference, &keys.public()).failure(1, &["DT0716", "it has no signature at all"]);
    let output = run("sign", reference, &keys.private()).success();
    assert_eq!(output.stdout.trim(), reference);
    assert!(
        run("sign", reference, &keys.private())
            .success()
            .stderr
            .contains("signed by this key already")
    );
    let by_tag = format!("{}/shop/signed:v1", registry.address);
    assert_eq!(
        run("verify", &by_tag, &keys.public()).success().stdout.trim(),
        reference
    );
    run("verify", reference, &others.public()).failure(1, &["DT0717", "none of its 1 signatures matches this key"]);

    let public = std::fs::read_to_string(keys.public()).unwrap();
    let (_, digest) = reference.split_once('@').unwrap();
    let beside = format!("localhost:5000/shop/signed@{digest}");
    let key = [("KEY", public.as_str())];
    let verify = ["verify", "--key", "env://KEY", "--insecure-ignore-tlog"];
    cosign(&registry, &key, &[&verify as &[&str], &REACHED, &[&beside]].concat()).success();
    let public = std::fs::read_to_string(others.public()).unwrap();
    let refused = cosign(
        &registry,
        &[("KEY", &public)],
        &[&verify as &[&str], &REACHED, &[&beside]].concat(),
    );
    assert_ne!(refused.code, 0, "cosign believes any key");

    // cosign signs with a key that it has made.
    registry
        .exec(&["env", "--chdir=/tmp", "COSIGN_PASSWORD=", "cosign", "generate-key-pair"])
        .success();
    let sign = ["sign", "--yes", "--tlog-upload=false", "--key", "/tmp/cosign.key"];
    cosign(&registry, &[], &[&sign as &[&str], &REACHED, &[&beside]].concat()).success();
    let theirs = keys.public().with_file_name("cosign.pub");
    std::fs::write(&theirs, registry.exec(&["cat", "/tmp/cosign.pub"]).success().stdout).unwrap();
    // It runs beside the registry, and signs by the name that this has there.
    run("verify", reference, &theirs).failure(1, &["DT0724", "--signed-as localhost:5000/shop/signed"]);
    let as_beside = ["--key", text(&theirs), "--signed-as", "localhost:5000/shop/signed"];
    Push::verb(&registry, &[&["verify", reference][..], &as_beside].concat()).success();
    run("verify", reference, &keys.public()).success();
}

#[test]
#[ignore = "needs Docker, see main.rs"]
fn what_cannot_be_signed_or_verified_says_why() {
    let (registry, keys) = (Registry::start(), Keys::new());
    let run = |verb: &str, image: &str, key: &Path| Push::verb(&registry, &[verb, image, "--key", text(key)]);
    let missing = format!("{}/shop/missing:v1", registry.address);
    run("verify", &missing, &keys.public()).failure(1, &["is not in its registry"]);
    run("verify", missing.trim_end_matches(":v1"), &keys.public()).failure(1, &["names neither a digest nor a tag"]);
    run("verify", &missing, &keys.private()).failure(1, &["it has no `PUBLIC KEY` block", "openssl pkey"]);
    run("sign", &missing, &keys.public()).failure(1, &["it has no `PRIVATE KEY` block", "openssl genpkey"]);
    run("sign", &missing, Path::new("nowhere.pem")).failure(1, &["nowhere.pem"]);
}
