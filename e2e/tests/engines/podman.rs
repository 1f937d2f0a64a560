//! `podman run` with crun and WasmEdge takes the image that `deploy-tool build` has packed: as the README says.

use std::time::Duration;

use e2e::{deploy_tool_exactly, eventually, repository};

use crate::docker;

const IMAGE: &str = "localhost/wasm-podman:trixie";

/// A machine with podman, gone at the end, also of a failed test.
struct Machine(String);

impl Machine {
    /// What a command prints there.
    fn run(&self, command: &str) -> String {
        docker(&["exec", &self.0, "sh", "-c", command]).stdout
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        let _ = std::process::Command::new("docker")
            .args(["rm", "--force", &self.0])
            .output();
    }
}

#[test]
#[ignore = "needs Docker and the images of the tests"]
fn podman_runs_the_archive_ahead_of_time_compiled_as_the_readme_says() {
    let label = ["--label", "deploy-tool.test"];
    let sleep = [
        "--privileged",
        "--network=none",
        "--entrypoint=sleep",
        IMAGE,
        "infinity",
    ];
    let machine = Machine(
        docker(&[&["run", "--detach"] as &[&str], &label, &sleep].concat())
            .stdout
            .trim()
            .to_owned(),
    );
    let folder = tempfile::tempdir().unwrap();
    let archive = folder.path().join("orders.tar");
    deploy_tool_exactly(&["build", "--archive", archive.to_str().unwrap()]).success();
    docker(&["cp", archive.to_str().unwrap(), &format!("{}:/orders.tar", machine.0)]);

    let readme = std::fs::read_to_string(repository().join("README.md")).unwrap();
    let written = readme
        .lines()
        .find_map(|line| line.strip_prefix("$ podman run "))
        .expect("the README runs podman");
    assert!(written.ends_with(" oci-archive:orders.tar"), "{written}");
    // Nothing but what a container in a container needs.
    let nested = "--network=none --cgroups=disabled --detach";
    let container = machine.run(&format!("cd / && podman run {nested} {written}"));
    eventually("it listens", Duration::from_secs(60), || {
        let log = machine.run(&format!("podman logs {} 2>&1", container.trim()));
        log.contains("(wasm, aot)").then_some(())
    });
}
