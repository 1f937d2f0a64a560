//! 0325 to 0330: objects whose controllers report a failure, or report nothing.

use serde_json::{Value, json};

use super::{Deleted, IMAGE, Provocation, deployment, fail_early, fail_early_in};
use crate::harness::{Namespace, kubectl, unique};

fn definition(plural: &str, group: &str) -> Value {
    json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": format!("{plural}.{group}")},
        "spec": {"group": group, "scope": "Namespaced", "names": {"kind": "Roll", "plural": plural},
            "versions": [{"name": "v1", "served": true, "storage": true,
                "schema": {"openAPIV3Schema": {"type": "object"}}}]}})
}

#[test]
#[ignore = "needs a cluster, see main.rs"]
fn objects_that_their_controllers_give_up() {
    let mut paused = deployment("paused", json!({}), json!({}));
    paused["spec"]["paused"] = json!(true);
    // Without a subresource for the status, it is what the manifest says.
    let group = unique("stalls") + ".example";
    let _definition = Deleted("customresourcedefinition", format!("stalls.{group}"));
    let mut stalls = definition("stalls", &group);
    stalls["spec"]["names"]["kind"] = json!("Stall");
    stalls["spec"]["versions"][0]["schema"]["openAPIV3Schema"] =
        json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
    let stalled = json!({"apiVersion": format!("{group}/v1"), "kind": "Stall", "metadata": {"name": "stalled"},
        "status": {"conditions": [{"type": "Stalled", "status": "True", "reason": "NoWay", "message": "there is no way"}]}});
    let job = json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "job"}, "spec": {"backoffLimit": 0,
        "template": {"spec": {"restartPolicy": "Never", "containers": [
            {"name": "main", "image": IMAGE, "command": ["bash", "-c", "echo no such table; exit 4"]}]}}}});
    let provocations = vec![
        Provocation {
            name: "paused",
            code: "DT0332",
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
}

#[test]
#[ignore = "needs a cluster, see main.rs"]
fn a_definition_whose_names_are_taken() {
    let group = unique("failures") + ".example";
    let _both = ["rolls", "rollers"].map(|plural| Deleted("customresourcedefinition", format!("{plural}.{group}")));
    super::create(&definition("rolls", &group));
    let second = Provocation {
        name: "definition",
        code: "DT0328",
        sentences: &["is already in use", "kubectl get customresourcedefinitions"],
        objects: vec![definition("rollers", &group)],
        event: None,
    };
    fail_early("failures-definition", &[], vec![second]);
}

#[test]
#[ignore = "needs a cluster, see main.rs"]
fn a_finalizer_that_holds() {
    let namespace = Namespace::create("failures-held", &[]);
    let mut held = deployment("held", json!({}), json!({}));
    held["metadata"]["namespace"] = json!(namespace.name);
    held["metadata"]["finalizers"] = json!(["failures.example/keep"]);
    super::create(&held);
    let _freed = Freed(&namespace.name);
    let delete = ["delete", "deployment", "held", "--wait=false"];
    kubectl(&[&["--namespace", &namespace.name], &delete[..]].concat()).success();
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
    fail_early_in(&namespace.name, vec![provocation]);
}

/// Takes the finalizer off at the end, whatever the end is: the namespace could not go.
struct Freed<'a>(&'a str);

impl Drop for Freed<'_> {
    fn drop(&mut self) {
        let patch = r#"--patch={"metadata":{"finalizers":null}}"#;
        let deployment = ["patch", "deployment", "held", "--type=merge", patch];
        kubectl(&[&["--namespace", self.0], deployment.as_slice()].concat());
    }
}
