//! `scripts/images` and `scripts/pull` with other Docker engines than this host's: a program stands in for the client.

use std::fs;

use e2e::CommandOutput;

use crate::host::Host;

#[test]
#[ignore = "with the others of this file"]
fn builds_have_the_proxies_that_the_shell_has() {
    let docker = |run: &str, build: &str| {
        format!(
            r#"echo "$*" >>"$CALLS"
            case $* in
              *deploy-tool.origin*) echo hub ;;
              run*) printf '%s\n' "E: Cannot reach the packages" "E: Some index files failed to download."; exit {run} ;;
              build*) exit {build} ;;
            esac"#
        )
    };
    let images = |run: &str| {
        let host = Host::with(&[("docker", &docker(run, "1"))]);
        let calls = host.path().join("calls");
        let mut command = host.command("scripts/images", &["builder"]);
        for name in ["HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "no_proxy"] {
            command.env_remove(name);
        }
        command
            .env("HTTP_PROXY", "http://proxy:3128")
            .env("https_proxy", "http://proxy:3128");
        command.env("IMAGES_FROM", "hub").env("CALLS", &calls);
        let output = CommandOutput::from(command.output().unwrap());
        (output, fs::read_to_string(calls).unwrap())
    };
    let (_, calls) = images("0");
    assert!(
        calls.contains("\nbuild --build-arg HTTP_PROXY --build-arg NO_PROXY --build-arg https_proxy --build-arg no_proxy --network default "),
        "{calls}"
    );
    // Where neither network reaches the packages, nothing is built.
    let (output, calls) = images("1");
    output.failure(
        3,
        &[
            "containers do not reach Debian's packages: E: Cannot reach the packages",
            "https://docs.docker.com/engine/cli/proxy/",
        ],
    );
    for network in ["default", "host"] {
        let probe =
            format!("run --rm --network {network} --env HTTP_PROXY --env NO_PROXY --env https_proxy --env no_proxy ");
        assert!(calls.contains(&probe), "{calls}");
    }
    assert!(!calls.contains("\nbuild "), "{calls}");
}

#[test]
#[ignore = "with the others of this file"]
fn an_engine_that_gets_no_answer_is_told_with_the_time_that_it_had() {
    // A firewall that drops packets: `docker pull --quiet` prints nothing until it is ended.
    let host = Host::with(&[("docker", "exec /bin/sleep 100"), ("sleep", "exit 0")]);
    let mut command = host.command("scripts/pull", &["docker.io/library/debian:x"]);
    let output = CommandOutput::from(command.env("PULL_SECONDS", "1").output().unwrap());
    let lines = [
        "no answer within 1 s; again in 5 s",
        "again in 15 s",
        "✗ no answer within 1 s",
    ];
    output.failure(3, &lines);
}

#[test]
#[ignore = "with the others of this file"]
fn an_image_that_another_run_has_removed_or_needs_is_no_sign_against_docker_hub() {
    let host = Host::with(&[("docker", "case $1 in pull) ;; *) exit 1 ;; esac")]);
    let mut command = host.command("scripts/images", &["builder"]);
    let output = CommandOutput::from(command.env("IMAGES_FROM", "hub").output().unwrap());
    output.failure(
        3,
        &["images come from: hub", "containers do not reach Debian's packages"],
    );
}

#[test]
#[ignore = "with the others of this file"]
fn a_version_of_kubernetes_that_has_no_image_is_told_with_those_that_have() {
    for version in ["1.36.4", "1.20", "latest"] {
        let host = Host::with(&[("docker", "exit 1")]);
        let mut command = host.command("scripts/images", &[]);
        let output = CommandOutput::from(command.env("KUBERNETES", version).output().unwrap());
        output.failure(
            3,
            &[&format!(
                "KUBERNETES is \"{version}\": oci/versions has node images of 1.35 1.36"
            )],
        );
    }
}
