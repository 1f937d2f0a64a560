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
    let full = "0/3 nodes are available: 1 node(s) had untolerated taint(s), 2 Insufficient cpu. no new claims to deallocate, preemption: 0/3 nodes are available.";
    blocked(app(&pending(full), 5), &UNSCHEDULABLE, &["2 nodes: Insufficient cpu"]);
    let problem = clear(
        app(&pending(full), 30),
        &UNSCHEDULABLE,
        &[
            "fits on none of 3 nodes",
            "2 nodes: Insufficient cpu / 1 node: had untolerated taint(s)",
            "requests",
        ],
    );
    assert!(!problem.sentence.contains("preemption"));
    // Freeing what is taken helps on no node: whoever adds nodes has not spoken yet.
    let hopeless = format!(
        "{} preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling.",
        &full[..full.find(" preemption").unwrap()]
    );
    blocked(
        app(&pending(&hopeless), 29),
        &UNSCHEDULABLE,
        &["2 nodes: Insufficient cpu"],
    );
    clear(app(&pending(&hopeless), 30), &UNSCHEDULABLE, &["requests"]);
    // Volumes and nodes may be on their way.
    let unbound = "0/3 nodes are available: pod has unbound immediate PersistentVolumeClaims.";
    blocked(app(&pending(unbound), 60), &CLAIM_PENDING, &["unbound"]);
    clear(app(&pending(unbound), 90), &CLAIM_PENDING, &["StorageClass"]);
    let mut growing = pending(full);
    event(
        &mut growing,
        "app-1",
        "TriggeredScaleUp",
        "pod triggered scale-up",
        1,
        1,
    );
    in_progress(app(&growing, 100), "a new node is on its way");
    // A node that is not there after a quarter of an hour is not coming.
    clear(app(&growing, 902), &UNSCHEDULABLE, &["Insufficient cpu"]);
    let mut shrinking = pending(full);
    let mut leaving = pod("app-2", "app-old", json!({"ready": true}));
    leaving["metadata"]["deletionTimestamp"] = json!(at(90).to_string());
    put(&mut shrinking.pods, "app-2", leaving);
    in_progress(app(&shrinking, 100), "other pods are being deleted");
    clear(app(&shrinking, 151), &UNSCHEDULABLE, &["Insufficient cpu"]);
    // The last of several counts, and the tracker finds the same as one look.
    let mut longer = pod("app-3", "app-old", json!({"ready": true}));
    longer["metadata"]["deletionTimestamp"] = json!(at(120).to_string());
    put(&mut shrinking.pods, "app-3", longer);
    in_progress(app(&shrinking, 151), "other pods are being deleted");
    let mut story = story::Story::new(&[target(TargetKind::Deployment, "app")], shrinking);
    in_progress(story.status("app", 151), "other pods are being deleted");
    clear(story.status("app", 181), &UNSCHEDULABLE, &["Insufficient cpu"]);
}

#[test]
fn the_labels_that_a_pod_asks_for_are_named() {
    let unlabelled = "0/3 nodes are available: 3 node(s) didn't match Pod's node affinity/selector.";
    let with = |class: Value, selector: Value| {
        let mut pod = pod("app-1", "app-new", json!({}));
        pod["spec"]["nodeName"] = Value::Null;
        pod["spec"]["runtimeClassName"] = class;
        pod["spec"]["nodeSelector"] = selector;
        pod["status"] = json!({"phase": "Pending", "conditions": [
            {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": unlabelled}]});
        let mut objects = world();
        put(&mut objects.pods, "app-1", pod);
        app(&objects, 30)
    };
    let ordinary = with(Value::Null, json!({"case.example.com/disk": "fast"}));
    let diagnosis = clear(
        ordinary,
        &UNSCHEDULABLE,
        &[
            "3 nodes: didn't match",
            "kubectl label node NODE case.example.com/disk=fast`",
        ],
    );
    assert!(!diagnosis.hint.contains("asm"), "{}", diagnosis.hint);
    let wasm = with(json!("crun-wasm"), json!({"runtime": "crun-wasm"}));
    clear(
        wasm,
        &UNSCHEDULABLE,
        &["RuntimeClass `crun-wasm`", "runtime=crun-wasm`"],
    );
    clear(with(Value::Null, Value::Null), &UNSCHEDULABLE, &["nodeAffinity"]);
}

#[test]
fn scheduling_gates_are_named() {
    let mut pod = pod("app-1", "app-new", json!({}));
    pod["spec"]["nodeName"] = Value::Null;
    pod["spec"]["schedulingGates"] = json!([{"name": "example.org/queue"}]);
    pod["status"] = json!({"phase": "Pending", "conditions": [
        {"type": "PodScheduled", "status": "False", "reason": "SchedulingGated"}]});
    let mut objects = world();
    put(&mut objects.pods, "app-1", pod);
    blocked(app(&objects, 60), &SCHEDULING_GATED, &["gates: example.org/queue"]);
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
    clear(app(&objects, 10), &CLAIM_PENDING, &["\"nope\" not found"]);
}
