//! Bad input: one clear message, a documented exit code, nothing half-done.

use crate::harness::{Deployment, cluster, context, deploy_tool, deploy_tool_command, deploy_tool_exactly, node_image};

#[test]
#[ignore = "needs a cluster, see main.rs"]
fn an_unknown_context_is_named_and_the_known_ones_are_listed() {
    deploy_tool_exactly(&["status", "--context", "no-such-context"]).failure(1, &["no-such-context", &context()]);
}

#[test]
#[ignore = "needs a cluster, see main.rs"]
fn a_manifest_that_is_no_yaml_is_named_with_its_line() {
    let broken = Deployment::new("broken", |name, text| {
        Some(if name == "app.yaml" {
            text.replace("strategy:\n", "strategy: {\n")
        } else {
            text
        })
    });
    deploy_tool(&["up", "--manifests", broken.folder()]).failure(1, &["app.yaml", "line"]);
}

#[test]
#[ignore = "needs a cluster, see main.rs"]
fn a_misspelt_field_is_refused_by_name_and_not_dropped() {
    let broken = Deployment::new("misspelt", |name, text| {
        Some(if name == "app.yaml" {
            text.replace("terminationGracePeriodSeconds:", "terminationGracePeriod:")
        } else {
            text
        })
    });
    let (output, _) = broken.up();
    output.failure(1, &["terminationGracePeriod"]);
}

#[test]
#[ignore = "needs a cluster, see main.rs"]
fn a_second_up_at_the_same_time_says_so() {
    // Both run for real: one of the two may be refused, and whatever happens both end, and a third run finds all well.
    let context = context();
    let arguments = ["up", "--context", &context];
    let first = deploy_tool_command(&arguments)
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let second = deploy_tool_exactly(&arguments);
    let first = first.wait_with_output().unwrap();
    let codes = (first.status.code().unwrap(), second.code);
    assert!(codes.0 == 0 || codes.1 == 0, "neither went through: {codes:?}");
    if codes != (0, 0) {
        let refused = if codes.0 == 0 {
            second.stderr
        } else {
            String::from_utf8_lossy(&first.stderr).into_owned()
        };
        assert!(refused.contains("another"), "{refused}");
    }
    deploy_tool(&["up"]).success();
}

#[test]
#[ignore = "needs a cluster, see main.rs"]
fn a_cluster_that_is_there_already_is_kept() {
    let arguments = [
        "cluster",
        "up",
        "--name",
        &cluster(),
        "--node-image",
        &node_image("wasm-node"),
    ];
    let output = deploy_tool_exactly(&arguments).success();
    assert!(
        output.stderr.contains("already") || output.stderr.contains("up to date") || output.stderr.contains("runs"),
        "{}",
        output.stderr
    );
}
