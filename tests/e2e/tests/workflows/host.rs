//! The scripts on hosts that this one is not: programs that stand before the real ones in PATH make it such a host.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use e2e::{CommandOutput, repository, script};

/// Programs of a host, each with the shell commands that it is, and where the others are.
pub struct Host(tempfile::TempDir, String);

impl Host {
    pub fn with(programs: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for (name, commands) in programs {
            let path = folder.path().join(name);
            fs::write(&path, format!("#!/bin/sh\n{commands}\n")).unwrap();
            fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
        }
        Self(folder, std::env::var("PATH").unwrap())
    }

    /// Has all programs of this host but these.
    fn without(mut self, names: &[&str]) -> Self {
        let others = self.path().join("others");
        fs::create_dir(&others).unwrap();
        let folders = std::mem::replace(&mut self.1, others.display().to_string());
        for folder in std::env::split_paths(&folders).filter(|folder| folder.is_dir()) {
            for program in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap()) {
                let name = program.file_name();
                if !names.iter().any(|&without| name == without) {
                    // The first of a name is the one that counts.
                    let _ = std::os::unix::fs::symlink(program.path(), others.join(name));
                }
            }
        }
        self
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    pub fn run(&self, path: &str, arguments: &[&str]) -> CommandOutput {
        CommandOutput::from(self.command(path, arguments).output().unwrap())
    }

    pub fn command(&self, path: &str, arguments: &[&str]) -> Command {
        let mut command = self.has(script(path));
        command.args(arguments);
        command
    }

    /// A command that finds its programs.
    fn has(&self, mut command: Command) -> Command {
        let programs = format!("{}:{}", self.path().display(), self.1);
        command
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

/// An engine that does not answer: what Docker's client prints, and what it says of its context.
fn silent(answer: &str, context: &str) -> String {
    format!(r#"case $1 in info) echo "{answer}" >&2; exit 1 ;; context) echo {context} ;; esac"#)
}

#[test]
#[ignore = "with the others of this file"]
fn an_engine_that_does_not_answer_is_not_one_that_is_missing() {
    let refused = "permission denied while trying to connect to the Docker daemon socket";
    let stopped = "Cannot connect to the Docker daemon";
    for (answer, context, address, message) in [
        (refused, "default", None, "you may not talk to the Docker engine"),
        (
            stopped,
            "default",
            Some("ssh://elsewhere"),
            "no Docker engine answers at DOCKER_HOST=ssh://elsewhere",
        ),
        (
            stopped,
            "desktop-linux",
            None,
            "no Docker engine answers in Docker's context desktop-linux",
        ),
    ] {
        let docker = silent(answer, context);
        let packages = ("sudo", "exit 1");
        let host = Host::with(&[("docker", &docker), ("id", "echo 1000"), packages]).without(&["dockerd", "iptables"]);
        let mut command = host.command("scripts/host", &["docker"]);
        if let Some(address) = address {
            command.env("DOCKER_HOST", address);
        }
        let output = CommandOutput::from(command.output().unwrap());
        let output = output.failure(3, &[message]);
        assert!(!output.stderr.contains("this host lacks"), "{}", output.stderr);
    }
}

#[test]
#[ignore = "with the others of this file"]
fn an_engine_of_another_machine_is_refused() {
    let docker = r#"case "$*" in *Endpoints*) echo ssh://elsewhere ;; esac"#;
    let host = Host::with(&[("docker", docker)]);
    let mut command = host.command("scripts/host", &["docker"]);
    let output = CommandOutput::from(command.env_remove("DOCKER_HOST").output().unwrap());
    output.failure(3, &["the Docker engine is another machine's (ssh://elsewhere)"]);
}

#[test]
#[ignore = "with the others of this file"]
fn docker_of_a_snap_is_refused() {
    let docker = r#"case "$*" in *DockerRootDir*) echo /var/snap/docker/common/var-lib-docker ;; esac"#;
    let host = Host::with(&[("docker", docker)]);
    host.run("scripts/host", &["docker"])
        .failure(3, &["Docker is a snap here", "sudo snap remove docker"]);
}

#[test]
#[ignore = "with the others of this file"]
fn what_kind_is_downloaded_with_is_asked_for_where_it_cannot_be_compiled() {
    let others = [("docker", "exit 0"), ("id", "echo 1000"), ("sudo", "exit 1")];
    let host = Host::with(&others).without(&["go", "curl"]);
    host.run("scripts/host", &[])
        .failure(3, &["this host lacks: ca-certificates curl"]);
    // Without a cluster there is no kind.
    host.run("scripts/host", &["docker"]).success();
    let host = Host::with(&[others.as_slice(), &[("go", "exit 1")]].concat()).without(&["go", "curl"]);
    host.run("scripts/host", &[])
        .failure(3, &["kind needs either Go or curl to be installed"]);
}

#[test]
#[ignore = "with the others of this file"]
fn files_of_a_container_are_the_users_in_each_kind_of_engine() {
    for (security, options) in [
        ("name=seccomp,profile=builtin", "--user=1000:1000"),
        ("name=rootless", "--user=0:0"),
        ("name=userns", "--user=1000:1000 --userns=host"),
    ] {
        let docker = format!(r#"case $1 in info) echo '["name=apparmor","{security}"]' ;; run) echo "$*" ;; esac"#);
        let host = Host::with(&[("docker", &docker), ("id", "echo 1000")]);
        let mut command = host.has(Command::new("bash"));
        command.args(["-c", ". scripts/step.sh; run_as_user --network none image program"]);
        let output = CommandOutput::from(command.output().unwrap()).success();
        assert_eq!(
            output.stdout,
            format!("run --rm {options} --network none image program\n")
        );
    }
}

#[test]
#[ignore = "with the others of this file"]
fn who_may_not_install_is_told_what_to_install() {
    let host = Host::with(&[("id", "echo 1000"), ("sudo", "exit 1"), ("apt-get", "exit 1")]);
    let output = host.run("scripts/packages", &["wrk", "jq"]);
    output.failure(3, &["this host lacks: wrk jq", "sudo apt-get install wrk jq"]);
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
fn who_fetches_the_list_of_packages_elsewhere_is_waited_for() {
    // apt 2.6 and 3.3: its option waits for the lock of installed packages, and this one is told at once.
    let apt = r#"case " $* " in
        *" update "*) [ -e "$CALLS" ] || { : >"$CALLS"; echo "E: Could not get lock /var/lib/apt/lists/lock."; exit 100; } ;;
        *" install "*" broken "*) echo "E: Unable to locate package broken"; exit 100 ;;
        esac"#;
    let host = Host::with(&[("apt-get", apt), ("sudo", r#"shift; exec "$@""#), ("sleep", "exit 0")]);
    let install = |package: &str| {
        let mut command = host.command("scripts/packages", &[package]);
        command.env("CALLS", host.path().join("calls"));
        CommandOutput::from(command.output().unwrap())
    };
    let output = install("wrk").success();
    assert!(output.stderr.contains("packages installed: wrk"), "{}", output.stderr);
    install("broken").failure(3, &["E: Unable to locate package broken"]);
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
    let publish = |version: &str, there_is_no: &str, private: &str| {
        let calls = host.path().join("calls");
        let _ = fs::remove_file(&calls);
        let mut command = host.command("scripts/release/publish", &[version, dist.to_str().unwrap()]);
        command
            .env("RECORDED", &calls)
            .env("RECORDED_FAILS", there_is_no)
            .env("IMAGES", &references)
            .env("PRIVATE", private);
        command
            .env("GITHUB_SERVER_URL", "https://github.com")
            .env("GITHUB_REPOSITORY", "you/services");
        CommandOutput::from(command.output().unwrap()).success();
        fs::read_to_string(calls).unwrap()
    };
    let made = publish("v1.2.3", "gh release view*", "false");
    let provenance = "`gh attestation verify FILE --repo you/services`";
    assert!(made.contains(provenance), "{made}");
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
    let candidate = publish("v1.2.3-rc.1", "gh release view*", "true");
    assert!(!candidate.contains(provenance), "{candidate}");
    assert!(candidate.contains("--prerelease=true"), "{candidate}");
    let again = publish("v1.2.3", "", "false");
    assert!(!again.contains("release create"), "{again}");
    assert!(
        again.contains("gh release upload v1.2.3 ") && again.contains("--clobber"),
        "{again}"
    );
    assert!(again.contains("gh release edit v1.2.3 --draft=false"), "{again}");
}

#[test]
#[ignore = "with the others of this file"]
fn a_step_goes_on_where_decimals_have_a_comma() {
    let folder = tempfile::tempdir().unwrap();
    let made = Command::new("localedef")
        .args(["--inputfile=de_DE", "--charmap=UTF-8"])
        .arg(folder.path().join("de_DE.UTF-8"))
        .output();
    if !made.is_ok_and(|output| output.status.success()) {
        let why = "this host cannot make a locale: localedef, or what Debian calls locales, is missing";
        assert!(std::env::var("REQUIRE_CLUSTER").as_deref() != Ok("1"), "{why}");
        eprintln!("skipped: {why}");
        return;
    }
    // gawk reads and prints a point in every locale; a pause is a short one.
    let commands = r#"set -euo pipefail
        [ "$(printf %.1f 1,5)" = 1,5 ]
        awk() { LC_ALL=C command awk "$@"; }
        sleep() { command sleep 0.2; }
        . scripts/step.sh
        step pause "a pause" command sleep 1
        say "after it""#;
    let output = Command::new("bash")
        .args(["-c", commands])
        .current_dir(repository())
        .env("LOCPATH", folder.path())
        .env("LC_ALL", "de_DE.UTF-8")
        .env("DEPLOY_TOOL_CACHE", folder.path())
        .output();
    let output = CommandOutput::from(output.unwrap()).success().stderr;
    for line in ["… a pause (0 s)", "✓ a pause (1.", "after it"] {
        assert!(output.contains(line), "{output}");
    }
}
