//! The API server goes away while something is waited for. It runs last: what comes next would meet the same.

use std::process::Command;

use serde_json::json;

use crate::harness::{
    CommandOutput, Namespace, Running, cluster, context, deploy_tool_command, eventually, kubectl, tool_timeout,
};

/// Runs a command on the node with the control plane.
fn on_the_node(arguments: &[&str]) -> CommandOutput {
    let node = format!("{}-control-plane", cluster());
    let output = Command::new("docker").args(["exec", &node]).args(arguments).output();
    CommandOutput::from(output.unwrap())
}

/// The API server's process, while there is one.
fn server() -> Option<String> {
    let output = on_the_node(&["pidof", "kube-apiserver"]);
    (output.code == 0).then(|| output.stdout.trim().to_owned())
}

#[test]
#[ignore = "needs a cluster, see main.rs"]
fn up_ends_well_though_the_api_server_restarts_meanwhile() {
    let namespace = Namespace::create("without-api-server", &[]);
    // Ready after half a minute: long enough for the server to go and come back.
    let slow = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "slow"},
        "spec": {"selector": {"matchLabels": {"app": "slow"}}, "template": {"metadata": {"labels": {"app": "slow"}},
            "spec": {"terminationGracePeriodSeconds": 0, "containers": [{"name": "main",
                "image": "docker.io/library/mariadb:11.8", "command": ["bash", "-c", "sleep 30; touch /tmp/ready; sleep infinity"],
                "startupProbe": {"exec": {"command": ["test", "-e", "/tmp/ready"]}, "periodSeconds": 1, "failureThreshold": 300}}]}}}});
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("slow.json"), slow.to_string()).unwrap();
    let (context, timeout) = (context(), tool_timeout());
    let arguments = [
        "up",
        "--context",
        &context,
        "--timeout",
        &timeout,
        "--namespace",
        &namespace.name,
    ];
    let mut up = deploy_tool_command(&arguments);
    up.arg("--manifests").arg(folder.path());
    let up = Running::start(up);
    eventually("the pod runs", || {
        let output = kubectl(&[
            "--namespace",
            &namespace.name,
            "get",
            "pods",
            "--output",
            "jsonpath={.items[*].status.phase}",
        ]);
        (output.stdout == "Running").then_some(())
    });
    let before = server().expect("an API server on the node");
    on_the_node(&["kill", &before]).success();
    // The kubelet starts another one.
    up.ended().success();
    eventually("the API server is there again", || {
        server().filter(|now| *now != before)
    });
}
