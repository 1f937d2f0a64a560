//! 0307 to 0318: containers that do not run, or do not become ready.

use serde_json::json;

use super::{Deleted, Provocation, deployment, fail_early};
use crate::harness::unique;

/// A file that begins like a module, without the ending of one.
const MODULE: &str = "AGFzbQEAAAA=";

/// Without a probe a container is ready as soon as it runs, and the deployment done before it ends.
fn probe() -> serde_json::Value {
    json!({"tcpSocket": {"port": 9}, "periodSeconds": 1})
}

#[test]
#[ignore = "needs a cluster, see main.rs"]
fn modules_that_are_run_as_native_programs() {
    let annotated = json!({"annotations": {"module.wasm.image/variant": "compat-smart"}});
    let of = |name: &'static str, program: &str, class: Option<&str>, metadata: serde_json::Value| {
        let module = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": format!("{name}-module")},
            "binaryData": {"app": MODULE, "app.wasm": MODULE}});
        let container = json!({"command": [program], "readinessProbe": probe(), "volumeMounts": [{"name": "module", "mountPath": "/module"}]});
        let mut pod = json!({"metadata": metadata, "spec": {"nodeSelector": {"runtime": "crun-wasm"}, "volumes": [
            {"name": "module", "configMap": {"name": format!("{name}-module"), "defaultMode": 0o755}}]}});
        if let Some(class) = class {
            pod["spec"]["runtimeClassName"] = json!(class);
        }
        vec![module, deployment(name, container, pod)]
    };
    let class = Deleted("runtimeclass", unique("failures-nowhere"));
    let nowhere = json!({"apiVersion": "node.k8s.io/v1", "kind": "RuntimeClass", "metadata": {"name": class.1},
        "handler": "nowhere"});
    let provocations = vec![
        Provocation {
            name: "annotation",
            code: "DT0309",
            sentences: &[
                "`/module/app.wasm` was run as a native program",
                "module.wasm.image/variant: compat-smart",
            ],
            objects: of("annotation", "/module/app.wasm", Some("crun-wasm"), json!({})),
            event: Some("Started"),
        },
        Provocation {
            name: "ending",
            code: "DT0310",
            sentences: &["`/module/app` was run as a native program", "does not end in .wasm"],
            objects: of("ending", "/module/app", Some("crun-wasm"), annotated.clone()),
            event: Some("Started"),
        },
        Provocation {
            name: "no-class",
            code: "DT0311",
            sentences: &["the pod has no runtimeClassName", "set `runtimeClassName: crun-wasm`"],
            objects: of("no-class", "/module/app.wasm", None, annotated),
            event: Some("Started"),
        },
        Provocation {
            name: "handler",
            code: "DT0307",
            sentences: &[
                "no runtime for the handler `nowhere`",
                "nodeSelector",
                "deploy-tool cluster up",
            ],
            objects: vec![
                nowhere,
                deployment("handler", json!({}), json!({"spec": {"runtimeClassName": class.1}})),
            ],
            event: Some("FailedCreatePodSandBox"),
        },
    ];
    fail_early("failures-wasm", &[], provocations);
}

#[test]
#[ignore = "needs a cluster, see main.rs"]
fn containers_that_do_not_run() {
    let shell = |script: &str| json!({"command": ["bash", "-c", script], "readinessProbe": probe()});
    let provocations = vec![
        Provocation {
            name: "crash",
            code: "DT0312",
            sentences: &["has ended 3 times, last with exit code 3", "| cannot go on"],
            objects: vec![deployment("crash", shell("echo cannot go on; exit 3"), json!({}))],
            event: None,
        },
        Provocation {
            name: "memory",
            code: "DT0313",
            sentences: &["more memory than its limit of 32Mi", "resources.limits.memory"],
            objects: vec![deployment(
                "memory",
                json!({"command": ["bash", "-c", "head -c 200M /dev/zero | tail"], "readinessProbe": probe(),
                    "resources": {"limits": {"memory": "32Mi"}}}),
                json!({}),
            )],
            event: None,
        },
        Provocation {
            name: "command",
            code: "DT0314",
            sentences: &["/nowhere", "correct what it names"],
            objects: vec![deployment("command", json!({"command": ["/nowhere"]}), json!({}))],
            event: Some("Failed"),
        },
        Provocation {
            name: "root",
            code: "DT0314",
            sentences: &["runAsNonRoot"],
            objects: vec![deployment(
                "root",
                json!({"securityContext": {"runAsNonRoot": true}}),
                json!({}),
            )],
            event: Some("Failed"),
        },
        Provocation {
            name: "secret",
            code: "DT0315",
            sentences: &["Secret `nope`, which is not there", "create secret generic nope"],
            objects: vec![deployment(
                "secret",
                json!({"env": [{"name": "A", "valueFrom": {"secretKeyRef": {"name": "nope", "key": "k"}}}]}),
                json!({}),
            )],
            event: None,
        },
        Provocation {
            name: "startup",
            code: "DT0316",
            sentences: &[
                "its startup probe fails, 2 times every 1 s",
                "not started yet",
                "failureThreshold",
            ],
            objects: vec![deployment(
                "startup",
                // A busy node needs longer than the default second to run a program in a container.
                json!({"startupProbe": {"exec": {"command": ["bash", "-c", "echo not started yet; exit 1"]},
                    "periodSeconds": 1, "timeoutSeconds": 30, "failureThreshold": 2}}),
                json!({}),
            )],
            event: None,
        },
        Provocation {
            name: "liveness",
            code: "DT0317",
            sentences: &["its liveness probe fails, 2 times every 1 s", ":9/live", "startupProbe"],
            objects: vec![deployment(
                "liveness",
                // On a busy node the restarts are told late: the other probe must not give up before.
                json!({"readinessProbe": {"tcpSocket": {"port": 9}, "periodSeconds": 1, "failureThreshold": 60},
                    "livenessProbe": {"httpGet": {"port": 9, "path": "/live"}, "periodSeconds": 1, "failureThreshold": 2}}),
                json!({}),
            )],
            event: None,
        },
        Provocation {
            name: "readiness",
            code: "DT0318",
            sentences: &["runs, but is not ready", "GET /ready"],
            objects: vec![deployment(
                "readiness",
                json!({"readinessProbe": {"httpGet": {"port": 9, "path": "/ready"}, "periodSeconds": 1}}),
                json!({}),
            )],
            event: None,
        },
    ];
    fail_early("failures-containers", &[], provocations);
}
