//! Tables of what the cluster says and what that means. The statuses are the ones that Kubernetes 1.36 with containerd
//! 2.3, crun 1.21 and WasmEdge 0.14.1 gave for these faults.

mod cases;
mod containers;
mod kinds;
mod modules;
mod probes;
mod recorded;
mod refusals;
mod scheduling;
mod story;
mod verdicts;
mod workloads;

use std::collections::BTreeMap;

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde_json::{Value, json};

use super::*;
use diagnostics::Code;

/// When the objects of these tests were applied.
const APPLIED: &str = "2026-01-01T00:00:00Z";

fn clock(seconds: i64) -> Clock {
    Clock::new(at(seconds), APPLIED.parse().unwrap())
}

fn at(seconds: i64) -> Timestamp {
    APPLIED.parse::<Timestamp>().unwrap() + jiff::SignedDuration::from_secs(seconds)
}

fn target(kind: TargetKind, name: &str) -> Target {
    let database = (kind == TargetKind::Deployment).then(|| "db".to_owned());
    Target {
        kind,
        namespace: "n".into(),
        name: name.into(),
        uid: None,
        generation: 2,
        selector: None,
        database,
        surplus_gone: true,
        time_limit: jiff::SignedDuration::ZERO,
        is_held: false,
        removes_itself: false,
        has_conditions: false,
    }
}

fn put<K: serde::de::DeserializeOwned>(store: &mut BTreeMap<String, K>, name: &str, value: Value) {
    store.insert(format!("n/{name}"), serde_json::from_value(value).unwrap());
}

/// A Deployment of one replica whose new pod is not there yet, and its database.
fn world() -> Objects {
    let mut objects = Objects::default();
    put(&mut objects.deployments, "app", deployment(2, 2, [1, 1, 0]));
    put(&mut objects.replica_sets, "app-new", replica_set("app-new", "2"));
    put(&mut objects.replica_sets, "app-old", replica_set("app-old", "1"));
    put(&mut objects.stateful_sets, "db", stateful_set("r2"));
    put(
        &mut objects.pods,
        "db-0",
        database_pod("r2", json!({"ready": true, "state": {"running": {}}})),
    );
    objects
}

/// Counts: all, updated, available.
fn deployment(generation: i64, observed: i64, [all, updated, available]: [i32; 3]) -> Value {
    json!({
        "metadata": {"name": "app", "namespace": "n", "uid": "d", "generation": generation,
            "annotations": {"deployment.kubernetes.io/revision": "2"}},
        "spec": {"replicas": 1, "selector": {}, "template": {}},
        "status": {"observedGeneration": observed, "replicas": all, "updatedReplicas": updated, "availableReplicas": available},
    })
}

fn replica_set(uid: &str, revision: &str) -> Value {
    json!({"metadata": {"name": uid, "namespace": "n", "uid": uid,
        "annotations": {"deployment.kubernetes.io/revision": revision},
        "ownerReferences": [{"apiVersion": "apps/v1", "kind": "Deployment", "name": "app", "uid": "d"}]}})
}

fn stateful_set(revision: &str) -> Value {
    json!({"metadata": {"name": "db", "namespace": "n", "uid": "s", "generation": 2},
        "spec": {"replicas": 1, "selector": {}, "serviceName": "db", "template": {}},
        "status": {"observedGeneration": 2, "replicas": 1, "updateRevision": revision}})
}

fn pod(name: &str, owner: &str, mut container: Value) -> Value {
    let ready = container["ready"] == true;
    for (field, default) in [
        ("name", json!("app")),
        ("ready", json!(false)),
        ("restartCount", json!(0)),
        ("image", json!("")),
        ("imageID", json!("")),
        ("started", json!(ready)),
    ] {
        if container[field].is_null() {
            container[field] = default;
        }
    }
    json!({
        "metadata": {"name": name, "namespace": "n", "uid": name, "creationTimestamp": APPLIED,
            "ownerReferences": [{"apiVersion": "apps/v1", "kind": "X", "name": "x", "uid": owner}]},
        "spec": {"nodeName": "worker", "runtimeClassName": "crun-wasm", "containers": [{
            "name": "app", "image": "registry.example/app:1", "ports": [{"name": "http", "containerPort": 8080}],
            "readinessProbe": {"httpGet": {"path": "/readyz", "port": "http"}},
            "resources": {"limits": {"memory": "6Mi"}}}]},
        "status": {"phase": "Running", "containerStatuses": [container], "conditions": [
            {"type": "PodScheduled", "status": "True"},
            {"type": "Ready", "status": if ready { "True" } else { "False" }, "lastTransitionTime": APPLIED}]},
    })
}

fn database_pod(revision: &str, container: Value) -> Value {
    let mut pod = pod("db-0", "s", container);
    pod["metadata"]["labels"] = json!({"controller-revision-hash": revision});
    pod
}

fn event(objects: &mut Objects, about: &str, reason: &str, message: &str, seconds: i64, count: i32) {
    let name = format!("event-{}", objects.events.len());
    let kind = if about.starts_with("data") {
        "PersistentVolumeClaim"
    } else {
        "Pod"
    };
    let event = json!({"metadata": {"name": name, "namespace": "n"}, "reason": reason, "message": message, "count": count,
        "involvedObject": {"kind": kind, "uid": about, "namespace": "n", "name": about},
        "lastTimestamp": at(seconds).to_string()});
    let event = serde_json::from_value(event).unwrap();
    objects.events.insert(event_key(&event), event);
}

/// How far the Deployment is whose new pod has this container.
fn with_container(container: Value, seconds: i64) -> RolloutStatus {
    let mut objects = world();
    put(&mut objects.pods, "app-1", pod("app-1", "app-new", container));
    app(&objects, seconds)
}

fn app(objects: &Objects, seconds: i64) -> RolloutStatus {
    evaluate(&target(TargetKind::Deployment, "app"), objects, clock(seconds))
}

fn waiting(reason: &str, message: &str, restarts: i32, last: Value) -> Value {
    json!({"state": {"waiting": {"reason": reason, "message": message}}, "restartCount": restarts, "lastState": last})
}

fn ended(code: i32, reason: &str) -> Value {
    json!({"terminated": {"exitCode": code, "reason": reason}})
}

#[track_caller]
fn has(diagnosis: &Diagnosis, code: &Code, parts: &[&str]) {
    let all = format!(
        "{} / {} / {}",
        diagnosis.sentence,
        diagnosis.lines.join(" / "),
        diagnosis.hint
    );
    for part in parts {
        assert!(all.contains(part), "`{part}` is missing in: {all}");
    }
    assert_eq!(diagnosis.code.number, code.number, "{diagnosis:?}");
}

/// It has failed: nothing else can help.
#[track_caller]
fn failed(status: RolloutStatus, code: &Code, parts: &[&str]) -> Diagnosis {
    let Phase::Failed(diagnosis) = status.phase else {
        panic!("not failed: {status:?}")
    };
    has(&diagnosis, code, parts);
    *diagnosis
}

/// Something else may put it right, and it is no clear sign yet.
#[track_caller]
fn blocked(status: RolloutStatus, code: &Code, parts: &[&str]) -> Diagnosis {
    let waiting = waiting_of(status, WaitClass::Blocked);
    assert!(!waiting.is_clear, "{waiting:?}");
    let diagnosis = waiting.diagnosis.expect("what is blocked has a diagnosis");
    has(&diagnosis, code, parts);
    diagnosis
}

/// Something else may put it right, and whoever wants to fail fast does.
#[track_caller]
fn clear(status: RolloutStatus, code: &Code, parts: &[&str]) -> Diagnosis {
    let waiting = waiting_of(status, WaitClass::Blocked);
    assert!(waiting.is_clear, "{waiting:?}");
    let diagnosis = waiting.diagnosis.expect("what is blocked has a diagnosis");
    has(&diagnosis, code, parts);
    diagnosis
}

#[track_caller]
fn waiting_of(status: RolloutStatus, class: WaitClass) -> Waiting {
    let Phase::Waiting(waiting) = status.phase else {
        panic!("does not wait: {status:?}")
    };
    assert_eq!(waiting.class, class, "{waiting:?}");
    *waiting
}

/// It is on its way.
#[track_caller]
fn in_progress(status: RolloutStatus, part: &str) {
    let sentence = status.sentence();
    waiting_of(status, WaitClass::InProgress);
    assert!(sentence.contains(part), "`{part}` is missing in: {sentence}");
}

#[track_caller]
fn settling(status: RolloutStatus, part: &str) {
    let sentence = status.sentence();
    waiting_of(status, WaitClass::Settling);
    assert!(sentence.contains(part), "`{part}` is missing in: {sentence}");
}

#[track_caller]
fn done(status: RolloutStatus, part: &str) {
    let sentence = status.sentence();
    assert!(matches!(status.phase, Phase::Done(_)), "not done: {status:?}");
    assert!(sentence.contains(part), "`{part}` is missing in: {sentence}");
}
