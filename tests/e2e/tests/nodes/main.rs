//! `node install|remove|status` on a cluster of its own, whose nodes have never heard of Wasm. It takes the images of
//! `scripts/images tests`, so it is ignored unless asked for: `cargo test -p e2e --test nodes -- --ignored`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod cluster;
mod machine;

use std::time::Duration;

use cluster::Cluster;
use e2e::{Said, pause_image, scaled};
use serde_json::{Value, json};

const RUNTIME_CLASS: &str = include_str!("../../../../manifests/runtimeclass.yaml");

#[test]
#[ignore = "makes a cluster, see above"]
fn nodes_get_the_engine_keep_it_and_lose_it_without_a_trace() {
    let cluster = Cluster::up("wasm-nodes");
    let (one, two) = (cluster.node("worker"), cluster.node("worker2"));
    let before = [cluster.traces(&one), cluster.traces(&two)];
    let restarts = cluster.restarts(&one);
    let image = pause_image(&one);

    // Of two nodes one cannot take it: neither is touched.
    cluster
        .on(&two, "mount --bind /opt /opt && mount -o remount,bind,ro /opt")
        .success();
    cluster
        .tool(&["node", "install", &one, &two])
        .failure(2, &["DT0901", &two, "read-only"]);
    cluster.on(&two, "umount /opt").success();
    assert_eq!([cluster.traces(&one), cluster.traces(&two)], before);

    // Where a budget keeps a pod on it, it stays as it is, and takes pods again. The check of the node has as long.
    cluster.apply(&pod("plain", &one, &image, &json!({})));
    cluster.wait_for_pod("plain");
    cluster.apply(&budget("plain"));
    cluster
        .tool(&["node", "install", &one, "--drain", "--timeout", &seconds(30)])
        .failure(2, &["DT0908", "default/plain", "kubectl get pdb"]);
    assert_eq!(
        (cluster.traces(&one), cluster.labels(&one).1),
        (before[0].clone(), Value::Null)
    );
    cluster.delete("pdb/plain");

    // It is installed; a second run starts nothing again, and what ran before goes on.
    let said = cluster.tool(&["node", "install", &one, "--drain"]).success();
    assert!(!cluster.has("pod/plain"));
    assert!(said.stderr.contains("a probe ran as native code"), "{}", said.stderr);
    let (labels, unschedulable) = cluster.labels(&one);
    assert_eq!((&labels["runtime"], unschedulable), (&json!("crun-wasm"), Value::Null));
    let engine = labels["wasm-engine"].as_str().unwrap().to_owned();
    let since = cluster.runtime_since(&one);
    let said = cluster.tool(&["node", "install", &one]).success();
    assert!(said.stderr.contains("nothing changed"), "{}", said.stderr);
    assert_eq!(
        (cluster.runtime_since(&one), cluster.restarts(&one)),
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
    assert!(nodes.clone().all(|link| link["node"] == json!(one)), "{report:#}");

    the_way_back(&cluster, &two, &before[1]);

    // A run that was cut off is told of, and the next one goes on: the runtime may not know its configuration yet.
    let unfinished = json!({"path": "/etc/containerd/config.toml", "start": null, "folder": null});
    cluster
        .on(&one, &format!("echo '{unfinished}' >/opt/wasm-engine/unfinished.json"))
        .success();
    let said = cluster.tool(&["node", "status", "--output", "json"]).failure(2, &[]);
    let status: Value = serde_json::from_str(&said.stdout).unwrap();
    assert_eq!(
        (&status["healthy"], &status["nodes"][0]["code"]),
        (&json!(false), &json!("DT0910"))
    );
    cluster.tool(&["node", "install", &one]).success();
    assert_ne!(cluster.runtime_since(&one), since);
    let said = cluster.tool(&["node", "status"]).success();
    assert!(
        said.stdout.contains(&engine) && said.stdout.contains("all as installed"),
        "{}",
        said.stdout
    );

    // It stays for as long as pods need it, and leaves nothing.
    // crun runs ordinary containers, too.
    cluster.apply(&pod("guest", &one, &image, &json!({"runtimeClassName": "crun-wasm"})));
    cluster.wait_for_pod("guest");
    cluster
        .tool(&["node", "remove", &one])
        .failure(2, &["DT0907", "default/guest"]);
    cluster.apply(&budget("guest"));
    cluster
        .tool(&["node", "remove", &one, "--drain", "--timeout", &seconds(10)])
        .failure(2, &["DT0908", "default/guest"]);
    let (labels, unschedulable) = cluster.labels(&one);
    assert_eq!(
        (&labels["runtime"], &labels["wasm-engine"], unschedulable),
        (&json!("crun-wasm"), &json!(engine), Value::Null)
    );
    cluster.delete("pdb/guest");
    cluster.tool(&["node", "remove", &one, "--drain"]).success();
    let (labels, unschedulable) = cluster.labels(&one);
    assert_eq!(
        (labels.get("runtime"), labels.get("wasm-engine"), unschedulable),
        (None, None, Value::Null)
    );
    assert_eq!([cluster.traces(&one), cluster.traces(&two)], before);
    assert_eq!(cluster.restarts(&one), restarts);
    let said = cluster.tool(&["node", "remove", &one]).success();
    assert!(said.stderr.contains("nothing is installed"), "{}", said.stderr);
}

/// Whatever fails after the first file is copied: the node is as it was, and takes pods.
fn the_way_back(cluster: &Cluster, node: &str, before: &str) {
    let is_as_before = |said: Said| {
        assert_eq!(cluster.traces(node), before, "{}", said.stderr);
        let (labels, unschedulable) = cluster.labels(node);
        assert_eq!(
            (labels.get("wasm-engine"), unschedulable),
            (None, Value::Null),
            "{}",
            said.stderr
        );
    };
    let refusal = "mkdir -p /etc/systemd/system/containerd.service.d && printf \"[Service]\\nExecStartPre=/bin/sh -c '! grep \
        wasm-engine /etc/containerd/config.toml'\\n\" >/etc/systemd/system/containerd.service.d/test.conf && systemctl \
        daemon-reload";
    cluster.on(node, refusal).success();
    let said = cluster.tool(&["node", "install", node]);
    is_as_before(said.failure(2, &["DT0904", "what was there before is back"]));
    cluster
        .on(
            node,
            "rm -r /etc/systemd/system/containerd.service.d/test.conf && systemctl daemon-reload",
        )
        .success();

    let nowhere = "localhost/nowhere:1";
    let said = cluster.tool(&[
        "node",
        "install",
        node,
        "--probe-image",
        nowhere,
        "--plain-probe-image",
        nowhere,
    ]);
    is_as_before(said.failure(2, &["DT0905", "image: ", "the node is as it was"]));
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
