//! 0325 to 0330: objects whose controllers report a failure, or report nothing.

use serde_json::{Value, json};

use super::{IMAGE, Provocation, deployment, fail_early};

fn definition(plural: &str) -> Value {
    json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": format!("{plural}.failures.example")},
        "spec": {"group": "failures.example", "scope": "Namespaced", "names": {"kind": "Roll", "plural": plural},
            "versions": [{"name": "v1", "served": true, "storage": true,
                "schema": {"openAPIV3Schema": {"type": "object"}}}]}})
}

#[test]
#[ignore = "needs a cluster, see main.rs"]
fn objects_that_their_controllers_give_up() {
    let mut paused = deployment("paused", json!({}), json!({}));
    paused["spec"]["paused"] = json!(true);
    // Without a subresource for the status, it is what the manifest says.
    let mut stalls = definition("stalls");
    stalls["spec"]["names"]["kind"] = json!("Stall");
    stalls["spec"]["versions"][0]["schema"]["openAPIV3Schema"] =
        json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
    let stalled = json!({"apiVersion": "failures.example/v1", "kind": "Stall", "metadata": {"name": "stalled"},
        "status": {"conditions": [{"type": "Stalled", "status": "True", "reason": "NoWay", "message": "there is no way"}]}});
    let job = json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "job"}, "spec": {"backoffLimit": 0,
        "template": {"spec": {"restartPolicy": "Never", "containers": [
            {"name": "main", "image": IMAGE, "command": ["bash", "-c", "echo no such table; exit 4"]}]}}}});
    let provocations = vec![
        Provocation {
            name: "paused",
            code: "DT0331",
            sentences: &["is paused by its own manifest", "take `paused: true` out"],
            objects: vec![paused],
            event: None,
        },
        Provocation {
            name: "job",
            code: "DT0327",
            sentences: &[
                "backoff limit",
                "ended with exit code 4",
                "| no such table",
                "delete job job",
            ],
            objects: vec![job],
            event: Some("BackoffLimitExceeded"),
        },
        Provocation {
            name: "stalled",
            code: "DT0329",
            sentences: &["Stall `stalled` cannot go on: there is no way"],
            objects: vec![stalls, stalled],
            event: None,
        },
    ];
    fail_early("failures-objects", &[], provocations);
    let definition = [
        "delete",
        "customresourcedefinition",
        "stalls.failures.example",
        "--ignore-not-found",
    ];
    crate::harness::kubectl(&definition).success();
}

#[test]
#[ignore = "needs a cluster, see main.rs"]
fn a_definition_whose_names_are_taken() {
    super::create(&definition("rolls"));
    let second = Provocation {
        name: "definition",
        code: "DT0328",
        sentences: &["is already in use", "kubectl get customresourcedefinitions"],
        objects: vec![definition("rollers")],
        event: None,
    };
    fail_early("failures-definition", &[], vec![second]);
    let both = [
        "delete",
        "customresourcedefinition",
        "rolls.failures.example",
        "rollers.failures.example",
    ];
    crate::harness::kubectl(&both);
}

#[test]
#[ignore = "needs a cluster, see main.rs"]
fn a_finalizer_that_holds() {
    let mut held = deployment("held", json!({}), json!({}));
    held["metadata"]["namespace"] = json!("failures-held");
    held["metadata"]["finalizers"] = json!(["failures.example/keep"]);
    super::create(&json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "failures-held"}}));
    super::create(&held);
    let kubectl =
        |arguments: &[&str]| crate::harness::kubectl(&[&["--namespace", "failures-held"], arguments].concat());
    let _freed = Freed;
    kubectl(&["delete", "deployment", "held", "--wait=false"]).success();
    let provocation = Provocation {
        name: "held",
        code: "DT0325",
        sentences: &[
            "is being deleted, and held by failures.example/keep",
            "patch deployment held",
        ],
        objects: vec![deployment("held", json!({}), json!({}))],
        event: None,
    };
    fail_early("failures-held", &[], vec![provocation]);
}

/// Takes the finalizer off at the end, whatever the end is: the namespace could not go.
struct Freed;

impl Drop for Freed {
    fn drop(&mut self) {
        let patch = r#"--patch={"metadata":{"finalizers":null}}"#;
        let deployment = ["patch", "deployment", "held", "--type=merge", patch];
        crate::harness::kubectl(&[&["--namespace", "failures-held"], deployment.as_slice()].concat());
    }
}
