//! `podman run` with crun and WasmEdge takes the image that `deploy-tool build` has packed: as docs/images.md says.

use e2e::{Machine, deploy_tool_exactly, eventually, repository};

const IMAGE: &str = "localhost/wasm-podman:trixie";

#[test]
#[ignore = "needs Docker and the images of the tests"]
fn podman_runs_the_archive_ahead_of_time_compiled_as_the_docs_say() {
    let machine = Machine::start(IMAGE);
    let folder = tempfile::tempdir().unwrap();
    let archive = folder.path().join("orders.tar");
    deploy_tool_exactly(&["build", "--archive", archive.to_str().unwrap()]).success();
    machine.copy(&archive, "/orders.tar");

    let page = std::fs::read_to_string(repository().join("docs/images.md")).unwrap();
    let written = page
        .lines()
        .find_map(|line| line.strip_prefix("$ podman run "))
        .expect("docs/images.md runs podman");
    assert!(written.ends_with(" oci-archive:orders.tar"), "{written}");
    // Nothing but what a container in a container needs.
    let nested = "--network=none --cgroups=disabled --detach";
    let container = machine.run(&format!("cd / && podman run {nested} {written}"));
    eventually("it listens", || {
        let log = machine.run(&format!("podman logs {} 2>&1", container.trim()));
        log.contains("(wasm, aot)").then_some(())
    });
}
