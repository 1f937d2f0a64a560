//! Real objects: what a cluster of Kubernetes 1.36 with containerd 2.3, runc, crun 1.21 and WasmEdge 0.14.1 said of
//! deliberate failures, two minutes after they were applied (`kubectl get --output json`, without what nobody reads).

use kube_core::{DynamicObject, GroupVersionKind};

use super::*;
use diagnostics::code::rollout::*;

const RECORDED: &str = include_str!("recorded.json");
const NAMESPACE: &str = "rollout-rec";

fn recorded() -> Objects {
    let all: Value = serde_json::from_str(RECORDED).unwrap();
    let items = |kind: &str| all[kind].as_array().unwrap().clone();
    let mut objects = Objects::default();
    let key = |object: &Value| format!("{NAMESPACE}/{}", object["metadata"]["name"].as_str().unwrap());
    for pod in items("pods") {
        objects.pods.insert(key(&pod), serde_json::from_value(pod).unwrap());
    }
    for event in items("events") {
        let event = serde_json::from_value(event).unwrap();
        objects.events.insert(event_key(&event), event);
    }
    for object in items("others") {
        match object["kind"].as_str().unwrap() {
            "Job" => {
                _ = objects
                    .jobs
                    .insert(key(&object), serde_json::from_value(object).unwrap())
            }
            "DaemonSet" => {
                _ = objects
                    .daemon_sets
                    .insert(key(&object), serde_json::from_value(object).unwrap())
            }
            _ => {
                let object: DynamicObject = serde_json::from_value(object).unwrap();
                let kind = GroupVersionKind::try_from(object.types.as_ref().unwrap()).unwrap();
                let namespace = object.metadata.namespace.clone().unwrap_or_default();
                let name = object.metadata.name.clone().unwrap();
                objects.others.insert(other_key(&kind, &namespace, &name), object);
            }
        }
    }
    // What these containers had written.
    for (pod, words) in [
        (
            "lost",
            "{\"msg\":\"exec container process `/app.wasm`: Exec format error\",\"level\":\"error\",\
             \"time\":\"2026-11-22T20:29:12.804113Z\"}",
        ),
        ("nowasm", "exec /app.wasm: exec format error"),
        ("runc", "exec /app.wasm: exec format error"),
    ] {
        let status = pod_of(&objects, pod)
            .status
            .clone()
            .unwrap()
            .container_statuses
            .unwrap();
        let ended = status[0].state.clone().unwrap().terminated.unwrap();
        objects.last_words.insert(ended.container_id.unwrap(), words.into());
    }
    objects
}

/// The pod of the Deployment or Job of that name.
fn pod_of<'a>(objects: &'a Objects, name: &str) -> &'a k8s_openapi::api::core::v1::Pod {
    let start = format!("{NAMESPACE}/{name}-");
    let is_named = |key: &str| {
        key.strip_prefix(&start)
            .is_some_and(|rest| rest.matches('-').count() <= 1)
    };
    objects.pods.iter().find(|(key, _)| is_named(key)).unwrap().1
}

fn two_minutes_later() -> Clock {
    let since: Timestamp = "2026-11-22T20:27:38Z".parse().unwrap();
    Clock::new(since + jiff::SignedDuration::from_secs(120), since)
}

#[test]
fn pods() {
    let objects = recorded();
    // Only a change of the pod itself can help.
    // Only a change of the pod itself can help.
    let for_good: &[(&str, &Code, &[&str])] = &[
        (
            "image-name",
            &IMAGE_NAME_INVALID,
            &["repository name (Case) must be lowercase"],
        ),
        (
            "image-never",
            &IMAGE_NOT_ON_NODE,
            &["`localhost/never:1`", "pull policy of Never"],
        ),
        (
            "lost",
            &ANNOTATION_LOST,
            &["`/app.wasm` was run as a native program", "compat-smart"],
        ),
        ("nowasm", &HANDLER_WITHOUT_WASM, &["the pod has no runtimeClassName"]),
        (
            "runc",
            &ANNOTATION_LOST,
            &["no annotation", "and set `runtimeClassName: crun-wasm`"],
        ),
        (
            "entrypoint",
            &CONTAINER_NOT_CREATED,
            &["executable file `/app` not found"],
        ),
        (
            "noprogram",
            &CONTAINER_NOT_CREATED,
            &["on node `wasm-demo-worker", "stat /nowhere: no such file"],
        ),
        (
            "root",
            &CONTAINER_NOT_CREATED,
            &["runAsNonRoot and image will run as root"],
        ),
    ];
    // Something else may put it right.
    let clear_signs: &[(&str, &Code, &[&str])] = &[
        (
            "image-unreachable",
            &REGISTRY_UNREACHABLE,
            &["`127.0.0.1:9/nobody/has-this:1`", "connection refused"],
        ),
        (
            "image-local",
            &IMAGE_NOT_ON_NODE,
            &["`localhost/not-loaded:1`", "loaded into the nodes"],
        ),
        (
            "crash",
            &CRASH_LOOP,
            &["has ended 5 times, last with exit code 3 (Error)"],
        ),
        ("oom", &OUT_OF_MEMORY, &["limit of 32Mi", "(5 times)"]),
        (
            "unfit",
            &UNSCHEDULABLE,
            &[
                "none of 3 nodes",
                "2 nodes: Insufficient cpu / 1 node: had untolerated taint(s)",
            ],
        ),
        (
            "unselected",
            &UNSCHEDULABLE,
            &[
                "2 nodes: didn't match Pod's node affinity/selector",
                "get nodes --show-labels",
            ],
        ),
        (
            "claimless",
            &CLAIM_PENDING,
            &["persistentvolumeclaim \"nope\" not found"],
        ),
        (
            "claim",
            &CLAIM_PENDING,
            &["`noclass` gets no volume: storageclass.storage.k8s.io \"nowhere\" not found"],
        ),
        (
            "startup",
            &STARTUP_PROBE,
            &[
                "was ended 6 times",
                "3 times every 1 s",
                "Startup probe failed: not started",
            ],
        ),
        (
            "liveness",
            &LIVENESS_PROBE,
            &[
                "2 times every 1 s",
                "/live\": dial tcp 10.244.2.10:9: connect: connection refused",
            ],
        ),
        (
            "readiness",
            &READINESS_PROBE,
            &["runs, but is not ready", "connect: connection refused"],
        ),
        (
            "secret-key",
            &CONFIGURATION_MISSING,
            &["Secret `nope`, which is not there", "create secret generic nope"],
        ),
        (
            "secret-volume",
            &CONFIGURATION_MISSING,
            &["Secret `nope`, which is not there"],
        ),
        (
            "map",
            &CONFIGURATION_MISSING,
            &["ConfigMap `nope`", "create configmap nope"],
        ),
        ("hostpath", &VOLUME_NOT_MOUNTED, &["/nowhere is not a directory"]),
        (
            "handler",
            &RUNTIME_NOT_CONFIGURED,
            &["`nowhere`", "no runtime for \"nowhere\" is configured"],
        ),
    ];
    let state = |name: &str| {
        let pod = pod_of(&objects, name);
        let phase = pod::evaluate(pod, &objects, None, jiff::SignedDuration::ZERO, two_minutes_later());
        target(TargetKind::Pod, name).status(None, phase)
    };
    for (name, code, parts) in for_good {
        failed(state(name), code, parts);
    }
    for (name, code, parts) in clear_signs {
        clear(state(name), code, parts);
    }
}

#[test]
fn controllers_whose_pods_are_refused() {
    let objects = recorded();
    let cases: [(&str, &Code, &str); 4] = [
        (
            "class",
            &RUNTIME_CLASS_MISSING,
            "refuses its pods: pod rejected: RuntimeClass \"not-there\" not found",
        ),
        (
            "greedy",
            &QUOTA,
            "exceeded quota: q, requested: requests.cpu=1, used: requests.cpu=0, limited: requests.cpu=10m",
        ),
        (
            "insecure",
            &POD_SECURITY,
            "/ allowPrivilegeEscalation != false (container \"main\" must set ",
        ),
        (
            "limited",
            &ADMISSION,
            "maximum memory usage per Container is 1Gi, but limit is 2Gi",
        ),
    ];
    for (name, code, part) in cases {
        let of_it = |event: &&k8s_openapi::api::core::v1::Event| {
            let about = event.involved_object.name.as_deref().unwrap();
            about.rsplit_once('-').is_some_and(|(start, _)| start == name)
        };
        let about = objects.events.values().find(of_it).unwrap().involved_object.clone();
        let controller = ObjectMeta {
            name: about.name,
            namespace: about.namespace,
            uid: about.uid,
            ..ObjectMeta::default()
        };
        let phase = failed_create::evaluate(&objects, &controller, "Deployment `x`", two_minutes_later());
        let status = target(TargetKind::Deployment, "x").status(None, phase.unwrap());
        clear(status, code, &[part]);
    }
}

#[test]
fn jobs_daemon_sets_and_what_has_no_pods() {
    let objects = recorded();
    let state = |kind: TargetKind, name: &str| {
        let namespace = if name.contains('.') { "" } else { NAMESPACE };
        let target = Target {
            namespace: namespace.into(),
            generation: 0,
            database: None,
            ..target(kind, name)
        };
        evaluate(&target, &objects, two_minutes_later())
    };
    let generic = |group: &str, kind: &str| TargetKind::Generic(GroupVersionKind::gvk(group, "v1", kind));
    let claim = || generic("", "PersistentVolumeClaim");
    let autoscaler = || generic("autoscaling", "HorizontalPodAutoscaler");
    let definition = || generic("apiextensions.k8s.io", "CustomResourceDefinition");
    done(state(TargetKind::Job, "works"), "1 of 1 ready; complete");
    let problem = failed(
        state(TargetKind::Job, "fails"),
        &JOB_FAILED,
        &[
            "has reached the specified backoff limit",
            "ended with exit code 4",
            "delete job fails",
        ],
    );
    assert!(matches!(&problem.evidence[..], [Evidence::Logs(_)]), "{problem:?}");
    done(state(TargetKind::DaemonSet, "every"), "2 of 2 ready");
    done(state(claim(), "later"), "with its first pod");
    clear(
        state(claim(), "noclass"),
        &CLAIM_PENDING,
        &["\"nowhere\" not found", "delete persistentvolumeclaim noclass"],
    );
    done(
        state(generic("", "Service"), "lb"),
        "no controller of load balancers has taken it",
    );
    done(
        state(autoscaler(), "readiness"),
        "scales nothing yet: the HPA was unable to compute",
    );
    done(state(autoscaler(), "orphan"), "scales nothing: ");
    done(state(definition(), "rolls.rollout.example"), "established");
    failed(
        state(definition(), "rollers.rollout.example"),
        &NAMES_REFUSED,
        &["\"RollList\" is already in use"],
    );
}
