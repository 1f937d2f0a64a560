//! docs/roads/podman.md, on a machine of its own.

use std::process::Command;

use e2e::{CommandOutput, Machine, deploy_tool_exactly, eventually, repository};

use crate::page;

const IMAGE: &str = "localhost/wasm-podman:trixie";
const MARIADB: &str = "localhost/wasm-mariadb:11.8";

struct Host(Machine);

impl Host {
    fn start() -> Self {
        let host = Self(Machine::start_with(IMAGE, &["--volume=/var/lib/containers"]));
        let load = format!(
            "docker save {MARIADB} | docker exec --interactive {} podman load",
            host.0.0
        );
        CommandOutput::from(Command::new("sh").args(["-c", &load]).output().unwrap()).success();
        host.0.copy(&repository().join("manifests"), "/manifests");
        host
    }

    fn ready(&self) {
        eventually("the service is ready", || {
            let output = self
                .0
                .try_run("curl --silent --fail --output /dev/null http://localhost:8080/readyz");
            (output.code == 0).then_some(())
        });
    }
}

#[test]
#[ignore = "needs Docker and the images of the tests"]
fn every_command_of_the_page_does_what_it_says() {
    let host = Host::start();
    let folder = tempfile::tempdir().unwrap();
    let archive = folder.path().join("orders.tar");
    deploy_tool_exactly(&["build", "--archive", archive.to_str().unwrap()]).success();
    host.0.copy(&archive, "/tmp/orders.tar");
    for command in page::commands("podman.md").iter().skip(1) {
        let line = command
            .line
            .replace("docker.io/library/mariadb:11.8", MARIADB)
            .replace("curl ", "curl --silent --show-error ");
        if line.starts_with("curl ") {
            host.ready();
        }
        let output = host.0.try_run(&format!("cd / && {{ {line}; }} 2>&1")).success();
        let lines: Vec<String> = output.stdout.lines().map(str::to_owned).collect();
        assert!(page::prints(&command.printed, &lines), "{line}: {}", output.stdout);
        if line.contains("kube play --network") {
            host.ready();
            let log = host.0.run("podman logs app-pod-app 2>&1");
            assert!(log.contains("(wasm, "), "{log}");
        }
    }
    // Nothing but the database goes on.
    assert_eq!(host.0.run("podman ps --format '{{.Names}}'").trim(), "mariadb");
    refusals(&host);
}

/// What the table of the page says that podman refuses or ignores.
fn refusals(host: &Host) {
    for file in ["namespace", "runtimeclass", "network"] {
        let output = host.0.try_run(&format!("podman kube play /manifests/{file}.yaml 2>&1"));
        assert!(
            output.code != 0 && output.stdout.contains("does not contain any supported kube kind"),
            "{}",
            output.stdout
        );
    }
    let output = host.0.try_run("podman kube play /manifests/app.yaml 2>&1");
    assert!(
        output.code != 0 && output.stdout.contains("deploy-tool://app"),
        "{}",
        output.stdout
    );
    host.0.try_run("podman pod rm --force --time 0 app-pod");
    // The annotation of the template alone: the module is taken for a program.
    let without = "sed '/Probe:$/,/failureThreshold/d; s#deploy-tool://app#localhost/orders:built#' /manifests/app.yaml >/tmp/without.yaml";
    host.0.run(without);
    host.0.run("podman kube play --network orders /tmp/without.yaml");
    eventually("it ends as a program that is none", || {
        let code = host
            .0
            .run("podman inspect --format '{{.State.ExitCode}} {{.RestartCount}}' app-pod-app");
        matches!(code.split_whitespace().next(), Some("1" | "126" | "127" | "139")).then_some(())
    });
    host.0.run("podman pod rm --force --time 0 app-pod");
    let output = host.0.run("podman kube play --replace /manifests/mariadb.yaml 2>&1");
    assert!(!output.lines().any(|line| line == "Pod:"), "{output}");
}
