//! `scripts/release/images`, with a registry here in the place of Docker Hub.

use std::process::Command;

use e2e::registry::{PASSWORD, Registry, USER};
use e2e::{Said, repository};

use crate::Push;
use crate::signatures::{Keys, text};

fn script(variables: &[(&str, &str)]) -> Said {
    let mut command = Command::new(repository().join("scripts/release/images"));
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy();
        // What Cargo tells this test of itself would have everything compiled again.
        if name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_") || name.starts_with("REGISTRY_") {
            command.env_remove(&*name);
        }
    }
    Said::from(command.arg("v1.2.3").envs(variables.iter().copied()).output().unwrap())
}

#[test]
#[ignore = "needs Docker, see main.rs"]
fn a_release_pushes_and_signs_every_image_and_says_when_it_may_not() {
    let said = script(&[("GITHUB_ACTIONS", "true")]).success();
    assert!(
        said.stdout
            .starts_with("::notice title=no images::images are not pushed"),
        "{}",
        said.stdout
    );

    let (registry, keys) = (Registry::start(), Keys::new());
    let (authority, private, public) = (registry.authority(), keys.private(), keys.public());
    let said = script(&[
        ("REGISTRY", &registry.address),
        ("REGISTRY_USERNAME", USER),
        ("REGISTRY_PASSWORD", PASSWORD),
        ("SSL_CERT_FILE", text(&authority)),
        ("SIGNING_KEY", text(&private)),
    ])
    .success();
    assert!(!said.stderr.contains(PASSWORD), "it shows the password");
    let references: Vec<&str> = said.stdout.lines().collect();
    assert_eq!(references.len(), 2, "{}", said.stdout);
    for (reference, name) in references.iter().zip(["orders", "events"]) {
        let tag = format!("{}/{name}:1.2.3", registry.address);
        let verified = Push::verb(&registry, &["verify", &tag, "--key", text(&public)]).success();
        assert_eq!(verified.stdout.trim(), *reference);
    }
}
