//! The scripts on hosts that this one is not: programs that stand before the real ones in PATH make it such a host.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use e2e::{CommandOutput, repository, script};

/// Programs of a host, each with the shell commands that it is.
struct Host(tempfile::TempDir);

impl Host {
    fn with(programs: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for (name, commands) in programs {
            let path = folder.path().join(name);
            fs::write(&path, format!("#!/bin/sh\n{commands}\n")).unwrap();
            fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
        }
        Self(folder)
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn run(&self, path: &str, arguments: &[&str]) -> CommandOutput {
        CommandOutput::from(self.command(path, arguments).output().unwrap())
    }

    fn command(&self, path: &str, arguments: &[&str]) -> Command {
        let mut command = script(path);
        let programs = format!("{}:{}", self.path().display(), std::env::var("PATH").unwrap());
        command
            .args(arguments)
            .env("PATH", programs)
            .env("DEPLOY_TOOL_CACHE", self.path().join("cache"));
        command.current_dir(repository());
        command
    }
}

#[test]
#[ignore = "with the others of this file"]
fn another_kind_of_machine_is_refused_before_anything_is_asked_or_fetched() {
    let uname = r#"case $1 in -m) echo aarch64 ;; *) echo Linux ;; esac"#;
    let host = Host::with(&[("uname", uname), ("docker", "exit 1"), ("cargo", "exit 1")]);
    host.run("scripts/host", &[]).failure(
        3,
        &[
            "this is Linux-aarch64, and building and running Wasm images takes Linux on x86-64",
            "deploy-tool apply",
        ],
    );
}

#[test]
#[ignore = "with the others of this file"]
fn podman_is_named_whichever_way_it_answers_as_docker() {
    // Fedora's package podman-docker: the client is podman's.
    let wrapper = r#"case $1 in --version) echo "podman version 5.4.2" ;; version) exit 125 ;; esac"#;
    // Docker's client on podman's socket.
    let socket =
        r#"case $1 in --version) echo "Docker version 28.5.2" ;; version) echo "Podman Engine Conmon" ;; esac"#;
    for docker in [wrapper, socket] {
        let host = Host::with(&[("docker", docker)]);
        host.run("scripts/host", &[]).failure(3, &["`docker` is podman here"]);
    }
}

#[test]
#[ignore = "with the others of this file"]
fn who_may_not_install_is_told_what_to_install() {
    let host = Host::with(&[("id", "echo 1000"), ("sudo", "exit 1"), ("apt-get", "exit 1")]);
    let said = host.run("scripts/packages", &["wrk", "jq"]);
    said.failure(3, &["this host lacks: wrk jq", "sudo apt-get install wrk jq"]);
    // With a sudo that asks for nothing it is installed, as root and without questions.
    let sudo = r#"printf '%s ' "$@" >>"$CALLS"; echo >>"$CALLS""#;
    let host = Host::with(&[("id", "echo 1000"), ("sudo", sudo), ("apt-get", "exit 1")]);
    let calls = host.path().join("calls");
    let output = host
        .command("scripts/packages", &["wrk"])
        .env("CALLS", &calls)
        .output()
        .unwrap();
    CommandOutput::from(output).success();
    let calls = fs::read_to_string(calls).unwrap();
    let install = calls.lines().last().unwrap().trim();
    assert!(
        install.starts_with("-n env DEBIAN_FRONTEND=noninteractive apt-get "),
        "{install}"
    );
    assert!(install.ends_with("--no-install-recommends wrk"), "{install}");
}

#[test]
#[ignore = "with the others of this file"]
fn a_release_page_is_made_once_and_brought_up_to_date_after_that() {
    let recorded = fs::read_to_string(repository().join("oci/runner/recorded")).unwrap();
    // And what it is to write on the page.
    let notes = r#"for word; do [ "$before" != --notes-file ] || cat "$word" >>"$RECORDED"; before=$word; done"#;
    let host = Host::with(&[("gh", &format!("{recorded}\n{notes}"))]);
    let references = host.path().join("references");
    fs::write(&references, "docker.io/you/orders@sha256:1\n").unwrap();
    let dist = host.path().join("dist");
    fs::create_dir(&dist).unwrap();
    fs::write(dist.join("install.sh"), "").unwrap();
    let publish = |version: &str, there_is_no: &str| {
        let calls = host.path().join("calls");
        let _ = fs::remove_file(&calls);
        let mut command = host.command("scripts/release/publish", &[version, dist.to_str().unwrap()]);
        command
            .env("RECORDED", &calls)
            .env("RECORDED_FAILS", there_is_no)
            .env("IMAGES", &references);
        command
            .env("GITHUB_SERVER_URL", "https://github.com")
            .env("GITHUB_REPOSITORY", "you/services");
        CommandOutput::from(command.output().unwrap()).success();
        fs::read_to_string(calls).unwrap()
    };
    let made = publish("v1.2.3", "gh release view*");
    assert!(made.contains("gh release create v1.2.3 "), "{made}");
    assert!(
        made.contains("--verify-tag") && made.contains("--prerelease=false"),
        "{made}"
    );
    let signer = "--certificate-identity https://github.com/you/services/.github/workflows/release.yml@refs/tags/v1.2.3 \
         --certificate-oidc-issuer https://token.actions.githubusercontent.com";
    for verb in ["verify", "verify-attestation --type slsaprovenance1"] {
        let command = format!("cosign {verb} {signer} docker.io/you/orders@sha256:1\n");
        assert!(made.contains(&command), "`{command}` is not in\n{made}");
    }
    let candidate = publish("v1.2.3-rc.1", "gh release view*");
    assert!(candidate.contains("--prerelease=true"), "{candidate}");
    let again = publish("v1.2.3", "");
    assert!(!again.contains("release create"), "{again}");
    assert!(
        again.contains("gh release upload v1.2.3 ") && again.contains("--clobber"),
        "{again}"
    );
    assert!(again.contains("gh release edit v1.2.3 --draft=false"), "{again}");
}
