//! `node install|remove|status` on a cluster of its own, whose nodes have never heard of Wasm. It takes the images of
//! `scripts/images tests`, so it is ignored unless asked for: `cargo test -p e2e --test nodes -- --ignored`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod cluster;
mod configurations;
mod machine;
mod never_worse;
mod project;

use std::time::Duration;

use cluster::Cluster;
use e2e::registry::Registry;
use e2e::{CommandOutput, eventually, pause_image, scaled};
use serde_json::{Value, json};

const RUNTIME_CLASS: &str = include_str!("../../../../manifests/runtimeclass.yaml");

/// An image that no node has.
const NOWHERE: &str = "localhost/nowhere:1";
/// Refuses every change of a node's labels.
const LABELS_STAY: &str = r#"{"apiVersion": "v1", "kind": "List", "items": [
    {"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicy", "metadata": {"name": "labels-stay"},
     "spec": {
        "matchConstraints": {"resourceRules": [
            {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["UPDATE"], "resources": ["nodes"]}]},
        "validations": [{"expression": "object.metadata.labels == oldObject.metadata.labels", "message": "labels stay"}]}},
    {"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicyBinding",
     "metadata": {"name": "labels-stay"}, "spec": {"policyName": "labels-stay", "validationActions": ["Deny"]}}
]}"#;

#[test]
#[ignore = "makes a cluster, see above"]
fn nodes_get_the_engine_keep_it_and_lose_it_without_a_trace() {
    let cluster = Cluster::up("wasm-nodes");
    let (first, second) = (cluster.node("worker"), cluster.node("worker2"));
    let before = [cluster.traces(&first), cluster.traces(&second)];
    let restarts = cluster.restarts(&first);
    let image = pause_image(&first);
    let registry = Registry::start_beside_nodes();
    project::trust(&cluster, &first, &registry);

    // Of two nodes one cannot take it: neither is touched.
    cluster
        .on(&second, "mount --bind /opt /opt && mount -o remount,bind,ro /opt")
        .success();
    cluster
        .tool(&["node", "install", &first, &second])
        .failure(2, &["DT0901", &second, "read-only"]);
    cluster.on(&second, "umount /opt").success();
    assert_eq!([cluster.traces(&first), cluster.traces(&second)], before);

    // Where a budget keeps a pod on it, it stays as it is, and takes pods again. The check of the node has as long.
    cluster.apply(&pod("plain", &first, &image, &json!({})));
    cluster.wait_for_pod("plain");
    cluster.apply(&budget("plain"));
    cluster
        .tool(&[
            "node",
            "install",
            &first,
            "--drain",
            "--force",
            "--timeout",
            &seconds(30),
        ])
        .failure(2, &["DT0908", "default/plain", "kubectl get pdb"]);
    let is_untouched = || {
        assert_eq!(
            (cluster.traces(&first), cluster.labels(&first).1),
            (before[0].clone(), Value::Null)
        );
    };
    is_untouched();
    cluster.delete("pdb/plain");

    // What would be lost with a pod is asked for first.
    cluster
        .tool(&["node", "install", &first, "--drain"])
        .failure(2, &["DT0908", "default/plain", "--force"]);
    let data = json!({"volumes": [{"name": "data", "emptyDir": {}}]});
    cluster.apply(&pod("data", &first, &image, &data));
    cluster
        .tool(&["node", "install", &first, "--drain", "--force"])
        .failure(2, &["DT0908", "default/data", "--delete-emptydir-data"]);
    assert!(cluster.has("pod/plain") && cluster.has("pod/data"));
    cluster.delete("pod/data");
    is_untouched();

    // It is installed; a second run starts nothing again, and what ran before goes on.
    let output = cluster
        .tool(&["node", "install", &first, "--drain", "--force"])
        .success();
    assert!(!cluster.has("pod/plain"));
    assert!(
        output.stderr.contains("a probe ran as native code"),
        "{}",
        output.stderr
    );
    let (labels, unschedulable) = cluster.labels(&first);
    assert_eq!((&labels["runtime"], unschedulable), (&json!("crun-wasm"), Value::Null));
    let engine = labels["wasm-engine"].as_str().unwrap().to_owned();
    let since = cluster.runtime_since(&first);
    let output = cluster.tool(&["node", "install", &first]).success();
    assert!(output.stderr.contains("nothing changed"), "{}", output.stderr);
    assert_eq!(
        (cluster.runtime_since(&first), cluster.restarts(&first)),
        (since.clone(), restarts.clone())
    );

    // Pods of the RuntimeClass go there, and only there.
    cluster.apply(RUNTIME_CLASS);
    let report = cluster.tool(&["doctor", "--output", "json"]).success();
    let report: Value = serde_json::from_str(&report.stdout).unwrap();
    let nodes = report["links"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|link| !link["node"].is_null());
    assert!(nodes.clone().all(|link| link["node"] == json!(first)), "{report:#}");

    project::goes_through_a_registry(&cluster, &registry);
    the_way_back(&cluster, &second, &before[1]);
    labels_that_are_refused(&cluster, &first, &second);

    // A run that was cut off is told of, and the next one goes on: the runtime may not know its configuration yet.
    let unfinished = json!({"path": "/etc/containerd/config.toml", "start": null, "folder": null});
    cluster
        .on(
            &first,
            &format!("echo '{unfinished}' >/opt/wasm-engine/unfinished.json"),
        )
        .success();
    let output = cluster.tool(&["node", "status", "--output", "json"]).failure(2, &[]);
    let status: Value = serde_json::from_str(&output.stdout).unwrap();
    assert_eq!(
        (&status["healthy"], &status["nodes"][0]["code"]),
        (&json!(false), &json!("DT0910"))
    );
    cluster.tool(&["node", "install", &first]).success();
    assert_ne!(cluster.runtime_since(&first), since);
    let output = cluster.tool(&["node", "status"]).success();
    assert!(
        output.stdout.contains(&engine) && output.stdout.contains("all as installed"),
        "{}",
        output.stdout
    );

    // It stays for as long as pods need it, and leaves nothing.
    // crun runs ordinary containers, too.
    cluster.apply(&pod("guest", &first, &image, &json!({"runtimeClassName": "crun-wasm"})));
    cluster.wait_for_pod("guest");
    a_repair_stays(&cluster, &first, &engine);
    cluster
        .tool(&["node", "remove", &first])
        .failure(2, &["DT0907", "default/guest"]);
    cluster.apply(&budget("guest"));
    cluster
        .tool(&["node", "remove", &first, "--drain"])
        .failure(2, &["DT0908", "default/guest", "--force"]);
    cluster
        .tool(&[
            "node",
            "remove",
            &first,
            "--drain",
            "--force",
            "--timeout",
            &seconds(10),
        ])
        .failure(2, &["DT0908", "default/guest"]);
    let (labels, unschedulable) = cluster.labels(&first);
    assert_eq!(
        (&labels["runtime"], &labels["wasm-engine"], unschedulable),
        (&json!("crun-wasm"), &json!(engine), Value::Null)
    );
    cluster.delete("pdb/guest");
    cluster
        .tool(&["node", "remove", &first, "--drain", "--force"])
        .success();
    let (labels, unschedulable) = cluster.labels(&first);
    assert_eq!(
        (labels.get("runtime"), labels.get("wasm-engine"), unschedulable),
        (None, None, Value::Null)
    );
    assert_eq!([cluster.traces(&first), cluster.traces(&second)], before);
    assert_eq!(cluster.restarts(&first), restarts);
    let output = cluster.tool(&["node", "remove", &first]).success();
    assert!(output.stderr.contains("nothing is installed"), "{}", output.stderr);
}

/// A node that runs pods keeps the engine and its labels when the probe cannot run after a repair.
fn a_repair_stays(cluster: &Cluster, node: &str, engine: &str) {
    let is = (json!("crun-wasm"), json!(engine), Value::Null);
    let now = || {
        let (labels, unschedulable) = cluster.labels(node);
        (labels["runtime"].clone(), labels["wasm-engine"].clone(), unschedulable)
    };
    assert_eq!(now(), is);
    cluster
        .on(node, &format!("rm -r /opt/wasm-engine/{engine}/share"))
        .success();
    let probes = ["--probe-image", NOWHERE, "--plain-probe-image", NOWHERE];
    cluster
        .tool(&[&["node", "install", node], &probes[..]].concat())
        .failure(2, &["DT0905", &format!("{engine} stays")]);
    assert_eq!(now(), is);
    let output = cluster.tool(&["node", "status", node]).success();
    assert!(output.stdout.contains("all as installed"), "{}", output.stdout);
    assert!(cluster.has("pod/guest"));
}

/// A node whose labels somebody else protects takes pods again, and is as far as it has come.
fn labels_that_are_refused(cluster: &Cluster, with_engine: &str, without: &str) {
    let states = || [with_engine, without].map(|node| cluster.labels(node));
    let before = states();
    cluster.apply(LABELS_STAY);
    let takes_labels = || cluster.takes(&format!("label node {without} some=label --dry-run=server"));
    eventually("the policy is at work", || (!takes_labels()).then_some(()));
    cluster
        .tool(&["node", "install", without])
        .failure(2, &["cannot label", "labels stay"]);
    cluster
        .tool(&["node", "remove", with_engine])
        .failure(2, &["cannot label", "labels stay"]);
    assert_eq!(states(), before);
    cluster.delete("validatingadmissionpolicybinding/labels-stay");
    eventually("the policy has gone", || takes_labels().then_some(()));
    let output = cluster.tool(&["node", "install", without]).success();
    assert!(output.stderr.contains("is there already"), "{}", output.stderr);
    cluster.tool(&["node", "remove", without]).success();
    assert_eq!(states(), before);
}

/// Whatever fails after the first file is copied: the node is as it was, and takes pods.
fn the_way_back(cluster: &Cluster, node: &str, before: &str) {
    let is_as_before = |output: CommandOutput| {
        assert_eq!(cluster.traces(node), before, "{}", output.stderr);
        let (labels, unschedulable) = cluster.labels(node);
        assert_eq!(
            (labels.get("wasm-engine"), unschedulable),
            (None, Value::Null),
            "{}",
            output.stderr
        );
    };
    let refusal = "mkdir -p /etc/systemd/system/containerd.service.d && printf \"[Service]\\nExecStartPre=/bin/sh -c '! grep \
        wasm-engine /etc/containerd/config.toml'\\n\" >/etc/systemd/system/containerd.service.d/test.conf && systemctl \
        daemon-reload";
    cluster.on(node, refusal).success();
    let output = cluster.tool(&["node", "install", node]);
    is_as_before(output.failure(2, &["DT0904", "what was there before is back"]));
    cluster
        .on(
            node,
            "rm -r /etc/systemd/system/containerd.service.d/test.conf && systemctl daemon-reload",
        )
        .success();

    let probes = ["--probe-image", NOWHERE, "--plain-probe-image", NOWHERE];
    let output = cluster.tool(&[&["node", "install", node], &probes[..]].concat());
    is_as_before(output.failure(2, &["DT0905", "image: ", "the node was restored"]));
}

/// A pod that stays, of an image that the node has.
fn pod(name: &str, node: &str, image: &str, more: &Value) -> String {
    let mut pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": {"app": name}}, "spec": {
        "nodeName": node, "terminationGracePeriodSeconds": 1,
        "containers": [{"name": "main", "image": image, "imagePullPolicy": "Never"}],
    }});
    let specification = pod["spec"].as_object_mut().unwrap();
    specification.extend(more.as_object().unwrap().clone());
    pod.to_string()
}

fn seconds(number: u64) -> String {
    format!("{}s", scaled(Duration::from_secs(number)).as_secs())
}

/// A budget by which this pod may not be evicted.
fn budget(name: &str) -> String {
    json!({"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": {"name": name},
        "spec": {"minAvailable": 1, "selector": {"matchLabels": {"app": name}}}})
    .to_string()
}
