//! Tables of what the cluster says and what that means. The statuses are the ones that Kubernetes 1.36 with containerd
//! 2.3, crun 1.21 and WasmEdge 0.14.1 gave for these faults.

use super::*;
use serde_json::{Value, json};

/// When the objects of these tests were applied.
const APPLIED: &str = "2026-01-01T00:00:00Z";

fn clock(seconds: i64) -> Clock {
    let since: Timestamp = APPLIED.parse().unwrap();
    Clock {
        now: at(seconds),
        since,
    }
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
        generation: 2,
        database,
        surplus_gone: true,
    }
}

fn put<K: serde::de::DeserializeOwned>(store: &mut BTreeMap<String, K>, name: &str, value: Value) {
    store.insert(format!("n/{name}"), serde_json::from_value(value).unwrap());
}

/// A Deployment of one replica whose new pod is not there yet, and its database.
fn world() -> Objects {
    let mut objects = Objects::default();
    put(&mut objects.deployments, "app", deployment(2, 2, [1, 1, 0]));
    put(&mut objects.replica_sets, "app-new", replica_set("new", "2"));
    put(&mut objects.replica_sets, "app-old", replica_set("old", "1"));
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
    json!({"metadata": {"name": format!("app-{uid}"), "namespace": "n", "uid": uid,
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
    let value = json!({"metadata": {"name": name, "namespace": "n"}, "reason": reason, "message": message, "count": count,
        "involvedObject": {"uid": about, "namespace": "n", "name": about}, "lastTimestamp": at(seconds).to_string()});
    put(&mut objects.events, &name, value);
}

/// The state of the Deployment whose new pod has this container.
fn with_container(container: Value, seconds: i64) -> State {
    let mut objects = world();
    put(&mut objects.pods, "app-1", pod("app-1", "new", container));
    state(&target(TargetKind::Deployment, "app"), &objects, clock(seconds))
}

fn waiting(reason: &str, message: &str, restarts: i32, last: Value) -> Value {
    json!({"state": {"waiting": {"reason": reason, "message": message}}, "restartCount": restarts, "lastState": last})
}

fn ended(code: i32, reason: &str) -> Value {
    json!({"terminated": {"exitCode": code, "reason": reason}})
}

#[track_caller]
fn failed(state: State, parts: &[&str]) -> Problem {
    let State::Failed(problem) = state else {
        panic!("not failed: {state:?}")
    };
    let all = format!("{} / {}", problem.sentence, problem.next);
    for part in parts {
        assert!(all.contains(part), "`{part}` is missing in: {all}");
    }
    *problem
}

#[track_caller]
fn waits(state: State, part: &str) {
    match state {
        State::Waiting(reason) => assert!(reason.contains(part), "`{part}` is missing in: {reason}"),
        other => panic!("does not wait: {other:?}"),
    }
}

#[test]
fn generations_come_first_and_counts_last() {
    // Generation, observed generation, [all, updated, available], the new pod is ready, what is said.
    let cases = [
        (2, 2, [1, 1, 1], true, "done"),
        // The status still speaks of the generation before.
        (2, 1, [1, 1, 1], true, "has not seen the change"),
        // The copy is older than what was applied.
        (1, 1, [1, 1, 1], true, "has not seen the change"),
        (2, 2, [2, 1, 1], true, "1 of 1 ready, 1 of the old revision left"),
        (2, 2, [1, 0, 1], true, "0 of 1 ready"),
        (2, 2, [1, 1, 0], true, "0 of 1 ready"),
        // The controller has not yet counted that the pod is not ready any more.
        (2, 2, [1, 1, 1], false, "0 of 1 ready"),
    ];
    for (generation, observed, counts, ready, expected) in cases {
        let mut objects = world();
        put(
            &mut objects.deployments,
            "app",
            deployment(generation, observed, counts),
        );
        put(
            &mut objects.pods,
            "app-1",
            pod("app-1", "new", json!({"ready": ready, "state": {"running": {}}})),
        );
        match (
            state(&target(TargetKind::Deployment, "app"), &objects, clock(1)),
            expected,
        ) {
            (State::Done(_), "done") => {}
            (found, expected) => waits(found, expected),
        }
    }
}

#[test]
fn surplus_pods_have_to_be_gone() {
    let mut objects = world();
    put(&mut objects.deployments, "app", deployment(2, 2, [1, 1, 1]));
    let mut target = target(TargetKind::Deployment, "app");
    put(&mut objects.pods, "app-1", pod("app-1", "new", json!({"ready": true})));
    assert!(matches!(state(&target, &objects, clock(1)), State::Done(_)));
    // Its deletion may become known later than the Deployment's new count.
    put(&mut objects.pods, "app-2", pod("app-2", "old", json!({"ready": true})));
    waits(state(&target, &objects, clock(1)), "1 more on the way out");
    target.surplus_gone = false;
    assert!(matches!(state(&target, &objects, clock(1)), State::Done(_)));
    target.surplus_gone = true;
    let mut evicted = pod("app-2", "old", json!({}));
    evicted["status"]["phase"] = json!("Failed");
    put(&mut objects.pods, "app-2", evicted.clone());
    assert!(matches!(state(&target, &objects, clock(1)), State::Done(_)));
    evicted["metadata"]["deletionTimestamp"] = json!(APPLIED);
    put(&mut objects.pods, "app-2", evicted);
    waits(state(&target, &objects, clock(1)), "1 more on the way out");
}

#[test]
fn images() {
    let missing = "failed to resolve reference \"registry.example/app:1\": registry.example/app:1: not found";
    failed(
        with_container(waiting("ErrImagePull", missing, 0, json!({})), 1),
        &["registry.example/app:1", "`worker`", "name and tag"],
    );
    failed(
        with_container(
            waiting(
                "ErrImageNeverPull",
                "not present with pull policy of Never",
                0,
                json!({}),
            ),
            1,
        ),
        &["Never"],
    );
    failed(
        with_container(
            waiting("InvalidImageName", "couldn't parse image name", 0, json!({})),
            1,
        ),
        &["parse"],
    );
    let private = "pull access denied, repository does not exist or may require authorization: 401 Unauthorized";
    failed(
        with_container(waiting("ErrImagePull", private, 0, json!({})), 1),
        &["imagePullSecrets"],
    );
    // What may pass by itself has to fail more than once.
    let timeout = "failed to do request: dial tcp 192.0.2.1:443: i/o timeout";
    waits(
        with_container(waiting("ImagePullBackOff", timeout, 0, json!({})), 60),
        "i/o timeout",
    );
    let mut objects = world();
    put(
        &mut objects.pods,
        "app-1",
        pod("app-1", "new", waiting("ImagePullBackOff", timeout, 0, json!({}))),
    );
    event(
        &mut objects,
        "app-1",
        "Failed",
        "Failed to pull image \"x\": i/o timeout",
        30,
        3,
    );
    failed(
        state(&target(TargetKind::Deployment, "app"), &objects, clock(30)),
        &["i/o timeout"],
    );
}

#[test]
fn local_images_cannot_be_pulled() {
    let mut objects = world();
    let mut pod = pod(
        "app-1",
        "new",
        waiting(
            "ErrImagePull",
            "dial tcp [::1]:443: connect: connection refused",
            0,
            json!({}),
        ),
    );
    pod["spec"]["containers"][0]["image"] = json!("localhost/orders:sha256-1");
    put(&mut objects.pods, "app-1", pod);
    failed(
        state(&target(TargetKind::Deployment, "app"), &objects, clock(1)),
        &["localhost/orders:sha256-1", "make images"],
    );
}

#[test]
fn one_early_end_is_nothing_and_three_are_a_crash_loop() {
    let back_off = |restarts, last| with_container(waiting("CrashLoopBackOff", "back-off 10s", restarts, last), 20);
    waits(
        with_container(json!({"state": ended(1, "Error")}), 1),
        "has ended 1 times",
    );
    waits(back_off(1, ended(1, "Error")), "has ended 2 times");
    let problem = failed(
        back_off(2, ended(1, "Error")),
        &["`app` of pod `app-1`", "3 times", "exit code 1"],
    );
    assert_eq!(
        problem.evidence,
        Some(Evidence::Logs {
            namespace: "n".into(),
            pod: "app-1".into(),
            container: "app".into()
        })
    );
    // Stock crun tells 0 whatever the guest's exit code is.
    failed(
        back_off(2, ended(0, "Completed")),
        &["exit code 0 (Completed)", "a service must not end"],
    );
    // It runs again, and may be fine now.
    let running = json!({"state": {"running": {}}, "restartCount": 1, "lastState": ended(1, "Error"), "started": true});
    waits(with_container(running, 20), "runs, but is not ready");
}

#[test]
fn out_of_memory() {
    waits(
        with_container(json!({"state": ended(137, "OOMKilled")}), 1),
        "more memory",
    );
    let again = json!({"state": ended(137, "OOMKilled"), "restartCount": 1});
    failed(with_container(again, 2), &["limit of 6Mi", "2 times", "limits.memory"]);
}

#[test]
fn a_module_run_as_a_native_program() {
    let message = "failed to create containerd task: exec container process `/app.wasm`: Exec format error";
    let start_error = waiting("RunContainerError", message, 0, json!({}));
    failed(
        with_container(start_error, 1),
        &["native program", "module.wasm.image/variant: compat-smart"],
    );
    // crun 1.21 says so on the container's output only.
    let problem = failed(
        with_container(json!({"state": ended(1, "Error"), "restartCount": 2}), 12),
        &["3 times"],
    );
    let told = problem
        .clone()
        .in_the_light_of("{\"msg\":\"exec container process `/app.wasm`: Exec format error\"}");
    assert!(
        told.sentence.contains("native program") && told.next.contains("compat-smart"),
        "{told:?}"
    );
    assert_eq!(problem.clone().in_the_light_of("panic"), problem);
}

#[test]
fn no_such_runtime() {
    let mut objects = world();
    put(
        &mut objects.pods,
        "app-1",
        pod("app-1", "new", waiting("ContainerCreating", "", 0, json!({}))),
    );
    let target = target(TargetKind::Deployment, "app");
    waits(state(&target, &objects, clock(1)), "is being created");
    event(
        &mut objects,
        "app-1",
        "FailedCreatePodSandBox",
        "Failed to create pod sandbox: plugin not ready",
        1,
        1,
    );
    waits(state(&target, &objects, clock(1)), "no sandbox yet");
    let message = "Failed to create pod sandbox: rpc error: code = Unknown desc = unable to get OCI runtime for sandbox \"3c\": no runtime for \"nowhere\" is configured";
    event(&mut objects, "app-1", "FailedCreatePodSandBox", message, 2, 1);
    failed(
        state(&target, &objects, clock(2)),
        &["`nowhere`", "`worker`", "nodeSelector"],
    );
}

#[test]
fn pods_that_the_api_server_refuses() {
    let cases = [
        (
            "pods \"app-1\" is forbidden: pod rejected: RuntimeClass \"not-there\" not found",
            "runtimeclass.yaml",
        ),
        (
            "pods \"app-1\" is forbidden: exceeded quota: pods, requested: pods=1, used: pods=0, limited: pods=0",
            "ResourceQuota",
        ),
        (
            "pods \"app-1\" is forbidden: violates PodSecurity \"restricted:latest\": runAsNonRoot != true",
            "securityContext",
        ),
    ];
    for (message, advice) in cases {
        let mut objects = world();
        event(&mut objects, "new", "FailedCreate", message, 1, 5);
        let target = target(TargetKind::Deployment, "app");
        waits(state(&target, &objects, clock(1)), "refuses its pods");
        failed(state(&target, &objects, clock(5)), &[message, advice]);
        // A pod that came later shows that it is over.
        let mut pod = pod("app-1", "new", json!({"state": {"running": {}}}));
        pod["metadata"]["creationTimestamp"] = json!(at(3).to_string());
        put(&mut objects.pods, "app-1", pod);
        waits(state(&target, &objects, clock(5)), "not ready");
    }
}

#[test]
fn a_refusal_from_before_says_nothing_about_now() {
    let mut objects = world();
    event(&mut objects, "new", "FailedCreate", "exceeded quota", -30, 5);
    let target = target(TargetKind::Deployment, "app");
    waits(state(&target, &objects, clock(60)), "refuses its pods");
    let stale = |objects: &Objects| refused_before(&target, objects, clock(60).since);
    assert_eq!(stale(&objects), [Controller::ReplicaSet("n".into(), "app-new".into())]);
    event(&mut objects, "new", "FailedCreate", "exceeded quota", 2, 6);
    assert_eq!(stale(&objects), [], "it has tried again since");
}

#[test]
fn no_node_for_the_pod() {
    let pending = |message: &str| {
        let mut pod = pod("app-1", "new", json!({}));
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
        &["1 node(s) had untolerated taint(s), 2 Insufficient cpu", "requests"],
    );
    assert!(!problem.sentence.contains("preemption"));
    let unlabelled = "0/3 nodes are available: 3 node(s) didn't match Pod's node affinity/selector.";
    failed(state(&target, &pending(unlabelled), clock(10)), &["runtime: crun-wasm"]);
    // Volumes and nodes may be on their way.
    let unbound = "0/3 nodes are available: pod has unbound immediate PersistentVolumeClaims.";
    waits(state(&target, &pending(unbound), clock(60)), "unbound");
    failed(state(&target, &pending(unbound), clock(90)), &["StorageClass"]);
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
    let mut leaving = pod("app-2", "old", json!({"ready": true}));
    leaving["metadata"]["deletionTimestamp"] = json!(APPLIED);
    put(&mut shrinking.pods, "app-2", leaving);
    waits(state(&target, &shrinking, clock(100)), "on their way out");
}

#[test]
fn a_broken_provisioner_is_told_early() {
    let mut objects = world();
    let mut pod = pod("app-1", "new", json!({}));
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
        &["\"nope\" not found"],
    );
}

#[test]
fn missing_keys_of_a_secret() {
    let container = || {
        waiting(
            "CreateContainerConfigError",
            "couldn't find key NOPE in Secret n/db",
            0,
            json!({}),
        )
    };
    waits(with_container(container(), 5), "NOPE");
    failed(with_container(container(), 10), &["NOPE", "Secret or ConfigMap"]);
}

#[test]
fn running_but_not_ready() {
    let container = || json!({"state": {"running": {"startedAt": APPLIED}}, "started": true});
    waits(with_container(container(), 29), "not ready");
    let problem = failed(with_container(container(), 30), &["not ready", "more than 30 s"]);
    let address = "8080/readyz".to_owned();
    assert_eq!(
        problem.evidence,
        Some(Evidence::Readiness {
            namespace: "n".into(),
            pod: "app-1".into(),
            address
        })
    );
    // The startup probe has a limit of its own.
    waits(
        with_container(
            json!({"state": {"running": {"startedAt": APPLIED}}, "started": false}),
            300,
        ),
        "not ready",
    );
}

#[test]
fn the_database_comes_first() {
    let mut objects = world();
    put(
        &mut objects.pods,
        "app-1",
        pod(
            "app-1",
            "new",
            json!({"state": {"running": {"startedAt": APPLIED}}, "started": true}),
        ),
    );
    put(
        &mut objects.pods,
        "db-0",
        database_pod("r2", waiting("ContainerCreating", "", 0, json!({}))),
    );
    let (app, database) = (
        target(TargetKind::Deployment, "app"),
        target(TargetKind::StatefulSet, "db"),
    );
    waits(state(&app, &objects, clock(300)), "waits for its database");
    put(
        &mut objects.pods,
        "db-0",
        database_pod("r2", waiting("CrashLoopBackOff", "", 2, ended(2, "Error"))),
    );
    failed(
        state(&app, &objects, clock(20)),
        &["the database of pod `app-1` is not ready", "`db-0`", "exit code 2"],
    );
    failed(
        overall(&[database, app], &objects, clock(20)),
        &["`db-0` has ended 3 times"],
    );
}

#[test]
fn a_stateful_set_counts_pods_of_its_revision_only() {
    let target = target(TargetKind::StatefulSet, "db");
    let ready = || json!({"ready": true, "state": {"running": {}}});
    assert!(matches!(state(&target, &world(), clock(1)), State::Done(_)));
    let mut objects = world();
    put(&mut objects.pods, "db-0", database_pod("r1", ready()));
    waits(state(&target, &objects, clock(1)), "0 of 1 ready");
    assert!(
        pods_to_replace(&target, &objects, clock(0).since).is_empty(),
        "a ready pod is the controller's to replace"
    );
}

#[test]
fn a_broken_pod_of_an_older_revision_is_replaced() {
    let target = target(TargetKind::StatefulSet, "db");
    let broken = || waiting("CrashLoopBackOff", "", 5, ended(1, "Error"));
    let mut objects = world();
    put(&mut objects.pods, "db-0", database_pod("r1", broken()));
    waits(state(&target, &objects, clock(60)), "has ended 6 times");
    assert_eq!(pods_to_replace(&target, &objects, clock(0).since).len(), 1);
    put(&mut objects.pods, "db-0", database_pod("r2", broken()));
    assert!(pods_to_replace(&target, &objects, clock(0).since).is_empty());
    failed(state(&target, &objects, clock(60)), &["`db-0`"]);
    // Starting is not broken.
    put(
        &mut objects.pods,
        "db-0",
        database_pod("r1", waiting("ContainerCreating", "", 0, json!({}))),
    );
    assert!(pods_to_replace(&target, &objects, clock(0).since).is_empty());
}

#[test]
fn pods_that_were_broken_before_are_replaced_once() {
    let target = target(TargetKind::Deployment, "app");
    let broken = || waiting("ImagePullBackOff", "not found", 0, json!({}));
    let mut objects = world();
    put(&mut objects.pods, "app-1", pod("app-1", "new", broken()));
    let replaced = |objects: &Objects, seconds| pods_to_replace(&target, objects, at(seconds)).len();
    assert_eq!(replaced(&objects, 10), 1, "created before anybody waited");
    assert_eq!(replaced(&objects, 0), 0, "created since");
    put(
        &mut objects.pods,
        "app-1",
        pod("app-1", "new", json!({"state": {"running": {}}, "restartCount": 9})),
    );
    assert_eq!(replaced(&objects, 10), 0, "it runs");
}

#[test]
fn restarts_of_long_ago_do_not_count() {
    // A node that was started again: the container had run for hours.
    let long = json!({"terminated": {"exitCode": 255, "reason": "Unknown",
        "startedAt": at(-7200).to_string(), "finishedAt": at(-10).to_string()}});
    waits(
        with_container(json!({"state": long, "restartCount": 7}), 1),
        "exit code 255",
    );
    let short = json!({"terminated": {"exitCode": 1, "reason": "Error",
        "startedAt": at(1).to_string(), "finishedAt": at(2).to_string()}});
    failed(
        with_container(json!({"state": short, "restartCount": 7}), 3),
        &["has ended 8 times"],
    );
    waits(
        with_container(
            json!({"state": {"running": {"startedAt": APPLIED}}, "restartCount": 7, "lastState": long}),
            1,
        ),
        "not ready",
    );
}

#[test]
fn kubernetes_own_deadline_counts() {
    let mut objects = world();
    let mut late = deployment(2, 2, [1, 1, 0]);
    late["status"]["conditions"] =
        json!([{"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded"}]);
    put(&mut objects.deployments, "app", late);
    failed(
        state(&target(TargetKind::Deployment, "app"), &objects, clock(200)),
        &["progressDeadlineSeconds"],
    );
}
