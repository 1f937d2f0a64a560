//! `scripts/release/images`, with a registry here in the place of Docker Hub.

use e2e::registry::{PASSWORD, Registry, USER};
use e2e::{CommandOutput, script};

use crate::Push;
use crate::signatures::{Keys, text};

fn release(arguments: &[&str], variables: &[(&str, &str)]) -> CommandOutput {
    let mut command = script("scripts/release/images");
    for name in ["REGISTRY", "REGISTRY_USERNAME", "REGISTRY_PASSWORD"] {
        command.env_remove(name);
    }
    CommandOutput::from(
        command
            .args(arguments)
            .envs(variables.iter().copied())
            .output()
            .unwrap(),
    )
}

#[test]
#[ignore = "needs Docker, see main.rs"]
fn a_release_pushes_and_signs_every_image_and_says_when_it_may_not() {
    let folder = tempfile::tempdir().unwrap();
    let push = ["push", text(folder.path()), "v1.2.3"];
    let output = release(&push, &[("GITHUB_ACTIONS", "true")]).success();
    let notice = "::notice title=no images::images are not pushed";
    assert!(output.stderr.contains(notice), "{}", output.stderr);
    assert_eq!(output.stdout, "");

    // Whoever builds is given nothing of whoever pushes.
    release(&["build", text(folder.path())], &[]).success();
    let (registry, keys) = (Registry::start(), Keys::new());
    let (authority, private, public) = (registry.authority(), keys.private(), keys.public());
    let variables = [
        ("REGISTRY", registry.address.as_str()),
        ("REGISTRY_USERNAME", USER),
        ("REGISTRY_PASSWORD", PASSWORD),
        ("SSL_CERT_FILE", text(&authority)),
        ("SIGNING_KEY", text(&private)),
    ];
    let output = release(&push, &variables).success();
    assert!(!output.stderr.contains(PASSWORD), "it shows the password");
    let references: Vec<&str> = output.stdout.lines().collect();
    assert_eq!(references.len(), 2, "{}", output.stdout);
    for (reference, name) in references.iter().zip(["orders", "events"]) {
        let tag = format!("{}/{name}:1.2.3", registry.address);
        let verified = Push::verb(&registry, &["verify", &tag, "--key", text(&public)]).success();
        assert_eq!(verified.stdout.trim(), *reference);
    }
}
