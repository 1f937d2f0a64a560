//! A release that comes up is never failed, and one that does not stay up is never called ready: what `apply` says without
//! `--fail-fast`, of what a cluster really does.

mod comes_up;
mod jobs;
mod not_ready;
mod notes;

use serde_json::{Value, json};

use crate::harness::Case;

/// An image that every node has, with a shell.
const IMAGE: &str = "docker.io/library/mariadb:11.8";
/// The exit code of a deployment that failed in the cluster.
const FAILED: i32 = 2;
/// The exit code of one that is not decided.
const UNDECIDED: i32 = 5;

/// A Deployment of one container, to which `container` is added; `volumes` are its pod's.
fn deployment(name: &str, replicas: u32, container: Value, volumes: Value) -> Value {
    let mut main = json!({"name": "main", "image": IMAGE, "command": ["sleep", "infinity"]});
    for (field, value) in container.as_object().unwrap() {
        main[field] = value.clone();
    }
    json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name}, "spec": {"replicas": replicas,
        "selector": {"matchLabels": {"app": name}}, "template": {"metadata": {"labels": {"app": name}},
            "spec": {"terminationGracePeriodSeconds": 0, "containers": [main], "volumes": volumes}}}})
}

fn shell(script: &str) -> Value {
    json!({"command": ["bash", "-c", script]})
}

fn job(name: &str, spec: Value, script: &str) -> Value {
    let mut job = json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name}, "spec": {"backoffLimit": 0,
        "template": {"spec": {"restartPolicy": "Never", "terminationGracePeriodSeconds": 0, "containers": [
            {"name": "main", "image": IMAGE, "command": ["bash", "-c", script]}]}}}});
    for (field, value) in spec.as_object().unwrap() {
        job["spec"][field] = value.clone();
    }
    job
}
