//! Pods without a node.

use super::*;
use diagnostics::code::rollout::*;

#[test]
fn no_node_for_the_pod() {
    let pending = |message: &str| {
        let mut pod = pod("app-1", "app-new", json!({}));
        pod["spec"]["nodeName"] = Value::Null;
        pod["status"] = json!({"phase": "Pending", "conditions": [
            {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": message}]});
        let mut objects = world();
        put(&mut objects.pods, "app-1", pod);
        objects
    };
    let target = target(TargetKind::Deployment, "app");
    let full = "0/3 nodes are available: 1 node(s) had untolerated taint(s), 2 Insufficient cpu. no new claims to deallocate, preemption: 0/3 nodes are available.";
    waits(state(&target, &pending(full), clock(5)), "2 Insufficient cpu");
    let problem = failed(
        state(&target, &pending(full), clock(10)),
        &UNSCHEDULABLE,
        &[
            "fits on none of 3 nodes",
            "2 nodes: Insufficient cpu / 1 node: had untolerated taint(s)",
            "requests",
        ],
    );
    assert!(!problem.sentence.contains("preemption"));
    // Freeing what is taken helps on no node.
    let hopeless = format!(
        "{} preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling.",
        &full[..full.find(" preemption").unwrap()]
    );
    waits(state(&target, &pending(&hopeless), clock(3)), "2 Insufficient cpu");
    failed(
        state(&target, &pending(&hopeless), clock(4)),
        &UNSCHEDULABLE,
        &["requests"],
    );
    let unlabelled = "0/3 nodes are available: 3 node(s) didn't match Pod's node affinity/selector.";
    failed(
        state(&target, &pending(unlabelled), clock(10)),
        &UNSCHEDULABLE,
        &["3 nodes: didn't match", "runtime=crun-wasm"],
    );
    // Volumes and nodes may be on their way.
    let unbound = "0/3 nodes are available: pod has unbound immediate PersistentVolumeClaims.";
    waits(state(&target, &pending(unbound), clock(60)), "unbound");
    failed(
        state(&target, &pending(unbound), clock(90)),
        &CLAIM_PENDING,
        &["StorageClass"],
    );
    let mut growing = pending(full);
    event(
        &mut growing,
        "app-1",
        "TriggeredScaleUp",
        "pod triggered scale-up",
        1,
        1,
    );
    waits(state(&target, &growing, clock(100)), "a new node is on its way");
    let mut shrinking = pending(full);
    let mut leaving = pod("app-2", "app-old", json!({"ready": true}));
    leaving["metadata"]["deletionTimestamp"] = json!(APPLIED);
    put(&mut shrinking.pods, "app-2", leaving);
    waits(state(&target, &shrinking, clock(100)), "on their way out");
}

#[test]
fn a_broken_provisioner_is_told_early() {
    let mut objects = world();
    let mut pod = pod("app-1", "app-new", json!({}));
    pod["spec"]["volumes"] = json!([{"name": "data", "persistentVolumeClaim": {"claimName": "data-0"}}]);
    pod["status"] = json!({"conditions": [{"type": "PodScheduled", "status": "False",
        "message": "pod has unbound immediate PersistentVolumeClaims."}]});
    put(&mut objects.pods, "app-1", pod);
    event(
        &mut objects,
        "data-0",
        "ProvisioningFailed",
        "storageclass.storage.k8s.io \"nope\" not found",
        1,
        1,
    );
    failed(
        state(&target(TargetKind::Deployment, "app"), &objects, clock(10)),
        &CLAIM_PENDING,
        &["\"nope\" not found"],
    );
}
