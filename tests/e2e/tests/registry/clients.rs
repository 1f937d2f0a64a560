//! Clients that are not ours, on what a push of a service brings: crane and oras.

use std::process::Command;

use e2e::registry::{PASSWORD, Registry, USER};
use e2e::{CommandOutput, built, deploy_tool_command, repository};
use serde_json::Value;
use service_tests::skip;

use crate::Push;
use crate::signatures::{Keys, text};

/// crane's answer. It is built from its Go module; where that cannot be done there is none.
fn crane(registry: &Registry, arguments: &[&str]) -> Option<CommandOutput> {
    let script =
        r#". oci/versions && scripts/go-tool github.com/google/go-containerregistry/cmd/crane "$crane_version""#;
    let built = Command::new("bash")
        .args(["-c", script])
        .current_dir(repository())
        .output();
    let built = CommandOutput::from(built.unwrap());
    // What the host lacks, by the exit codes of the scripts.
    if built.code == 3 {
        skip("crane", &built.stderr);
        return None;
    }
    // Its login and the authority that it is to trust, as Docker's client and Go's TLS take them.
    let home = tempfile::tempdir().unwrap();
    let program = built.success().stdout.trim().to_owned();
    let run = |arguments: &[&str]| {
        let mut command = Command::new(&program);
        command.args(arguments).env("DOCKER_CONFIG", home.path());
        CommandOutput::from(command.env("SSL_CERT_FILE", registry.authority()).output().unwrap())
    };
    run(&[
        "auth",
        "login",
        &registry.address,
        "--username",
        USER,
        "--password",
        PASSWORD,
    ])
    .success();
    Some(run(arguments))
}

/// oras beside the registry.
fn oras(registry: &Registry, verb: &[&str], image: &str) -> CommandOutput {
    // oras takes whatever is on localhost for a registry without TLS.
    let reached = [
        "--plain-http=false",
        "--ca-file",
        "/tls/ca.crt",
        "--username",
        USER,
        "--password",
        PASSWORD,
    ];
    registry.exec(&[&["oras"], verb, &reached, &[&format!("localhost:5000/{image}")]].concat())
}

/// A service of this project, pushed and signed. Returns its digest.
fn pushed(registry: &Registry, keys: &Keys) -> String {
    let to = format!("{}/shop/orders:v1", registry.address);
    // Built with this user's cache; what pushes below has an empty home.
    let built = built(deploy_tool_command(&["build", "--output", "json"]));
    let layout = built["layout"].as_str().unwrap();
    let reference = Push::verb(registry, &["push", layout, "--to", &to]).success().stdout;
    let private = keys.private();
    Push::verb(registry, &["sign", reference.trim(), "--key", text(&private)]).success();
    reference.trim().rsplit('@').next().unwrap().to_owned()
}

#[test]
#[ignore = "needs Docker, see main.rs"]
fn crane_and_oras_agree_with_what_is_pushed() {
    let (registry, keys) = (Registry::start(), Keys::new());
    let digest = pushed(&registry, &keys);

    // What is attached is found by the image's digest, on a registry that keeps no account of that itself.
    let found = oras(
        &registry,
        &["discover", "--format", "json"],
        &format!("shop/orders@{digest}"),
    );
    let found: Value = serde_json::from_str(&found.success().stdout).unwrap();
    let mut kinds: Vec<&str> = found["manifests"]
        .as_array()
        .unwrap()
        .iter()
        .map(|manifest| manifest["artifactType"].as_str().unwrap())
        .collect();
    kinds.sort_unstable();
    assert_eq!(
        kinds,
        ["application/vnd.cyclonedx+json", "application/vnd.in-toto+json"]
    );
    // Signatures are where cosign looks for them: under a tag that is made of the digest.
    let tags = oras(&registry, &["repo", "tags"], "shop/orders").success().stdout;
    let signature = format!("{}.sig", digest.replace(':', "-"));
    assert!(tags.lines().any(|tag| tag == signature), "{tags}");

    let by_tag = format!("{}/shop/orders:v1", registry.address);
    let Some(output) = crane(&registry, &["validate", "--remote", &by_tag]) else {
        return;
    };
    let output = output.success();
    assert!((output.stdout + output.stderr.as_str()).contains("PASS"));
    let crane = |verb: &str| crane(&registry, &[verb, &by_tag]).unwrap().success().stdout;
    assert_eq!(crane("digest").trim(), digest);
    let folder = tempfile::tempdir().unwrap();
    let manifest = folder.path().join("manifest");
    std::fs::write(&manifest, crane("manifest")).unwrap();
    let hashed = Command::new("sha256sum").arg(&manifest).output().unwrap().stdout;
    assert_eq!(format!("sha256:{}", &String::from_utf8(hashed).unwrap()[..64]), digest);
}
