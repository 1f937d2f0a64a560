//! What deploy-tool knows of sidecars, against a real cluster: manifests it refuses, pods without the sidecar that they asked
//! for, components that keep one from starting, and how `status` and `logs` show them.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::demo::{namespace, whole};
use crate::harness::{Case, deploy_tool, eventually, kubectl, pinned, tool_timeout};

/// Exit codes of deploy-tool.
const INPUT: i32 = 1;
pub const FAILED: i32 = 2;
/// An image that every node has, with a shell.
const IMAGE: &str = "docker.io/library/mariadb:11.8";

/// A Deployment of one container that only waits, with these annotations.
pub fn deployment(annotations: &Value) -> Value {
    json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "waits"}, "spec": {
        "selector": {"matchLabels": {"app": "waits"}},
        "template": {
            "metadata": {"labels": {"app": "waits"}, "annotations": annotations},
            "spec": {"terminationGracePeriodSeconds": 0,
                "containers": [{"name": "main", "image": IMAGE, "command": ["sleep", "infinity"]}]}}}})
}

/// What `status` tells of a namespace, for programs.
fn status(namespace: &str) -> Value {
    let output = deploy_tool(&["status", "--namespace", namespace, "--output", "json"]).success();
    serde_json::from_str(&output.stdout).unwrap()
}

#[test]
#[ignore = "needs the demo, see main.rs"]
fn a_variant_that_feeds_the_sidecar_to_the_engine_is_refused_before_anything_is_applied() {
    let injected = json!({"module.wasm.image/variant": "compat", "dapr.io/enabled": "true"});
    let template = deployment(&injected)["spec"]["template"].clone();
    let template =
        json!({"apiVersion": "v1", "kind": "PodTemplate", "metadata": {"name": "kept"}, "template": template});
    for object in [deployment(&injected), template] {
        let case = Case::new("dapr-compat", &[object]);
        case.run(&["apply"]).failure(
            INPUT,
            &["error DT0114:", "next: write `module.wasm.image/variant: compat-smart`"],
        );
        let made = kubectl(&["get", "namespace", &case.namespace.name]);
        assert_ne!(made.code, 0, "{}", made.stdout);
    }
}

/// No injector covers this namespace, as when it is down: the pods come up, and look healthy. One that is down is in injector.rs.
#[test]
#[ignore = "needs the demo, see main.rs"]
fn pods_without_the_sidecar_that_they_asked_for_are_no_success() {
    let case = Case::new("dapr-injector", &[deployment(&json!({"dapr.io/enabled": "true"}))]);
    let output = case
        .run(&["apply", "--fail-fast", "--timeout", &tool_timeout()])
        .failure(
            FAILED,
            &[
                "error DT0340:",
                "has no container `daprd`, though its annotation `dapr.io/enabled` asks for one",
                "deploy-tool restart",
            ],
        );
    let warning = "the injected Dapr sidecar ends together with its service";
    assert!(output.stderr.contains(warning), "{}", output.stderr);
    // Whoever does not ask has nothing to wait for.
    case.write(&[deployment(&json!({"dapr.io/enabled": "false"}))]);
    let output = case
        .run(&["apply", "--fail-fast", "--timeout", &tool_timeout()])
        .success();
    assert!(!output.stderr.contains(warning), "{}", output.stderr);
}

/// In both forms: a container beside the service's, and a native sidecar before it.
#[test]
#[ignore = "needs the demo, see main.rs"]
fn the_component_that_keeps_a_sidecar_from_starting_is_named() {
    let component = "apiVersion: dapr.io/v1alpha1
kind: Component
metadata:
  name: messages
spec:
  type: pubsub.jetstream
  version: v1
  metadata:
  - name: natsURL
    value: nats://127.0.0.1:1
";
    let files = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "dapr"},
        "data": {"messages.yaml": component}});
    let sidecar = json!({"name": "daprd", "image": format!("docker.io/daprio/daprd:{}", pinned("dapr_version")),
        "command": ["/daprd"],
        "args": ["--mode=standalone", "--app-id=waits", "--resources-path=/dapr", "--dapr-public-port=3501"],
        "volumeMounts": [{"name": "dapr", "mountPath": "/dapr"}]});
    for is_native in [true, false] {
        let mut object = deployment(&json!({}));
        let spec = &mut object["spec"]["template"]["spec"];
        spec["volumes"] = json!([{"name": "dapr", "configMap": {"name": "dapr"}}]);
        let mut sidecar = sidecar.clone();
        if is_native {
            sidecar["restartPolicy"] = json!("Always");
            sidecar["startupProbe"] = json!({"httpGet": {"path": "/v1.0/healthz/outbound", "port": 3501},
                "periodSeconds": 1, "failureThreshold": 60});
            spec["initContainers"] = json!([sidecar]);
        } else {
            sidecar["readinessProbe"] = json!({"httpGet": {"path": "/v1.0/healthz/outbound", "port": 3501},
                "periodSeconds": 1});
            spec["containers"].as_array_mut().unwrap().push(sidecar);
        }
        let case = Case::new("dapr-component", &[files.clone(), object]);
        case.run(&["apply", "--fail-fast", "--timeout", &tool_timeout()])
            .failure(
                FAILED,
                &[
                    "error DT0341:",
                    "cannot start its component `messages` (pubsub.jetstream/v1): nats: no servers available for connection\n",
                    "see that what is behind `messages` runs and can be reached",
                ],
            );
        let pod = eventually("status shows that the sidecar ends again and again", || {
            let pod = status(&case.namespace.name)["pods"][0].clone();
            (pod["state"] == "CrashLoopBackOff" && pod["restarts"].as_i64() > Some(0)).then_some(pod)
        });
        assert_eq!((&pod["ready"], &pod["image"]), (&json!(false), &json!(IMAGE)), "{pod}");
    }
}

#[test]
#[ignore = "needs the demo, see main.rs"]
fn status_and_logs_show_services_and_their_sidecars() {
    whole();
    // Pods of the revision before may still be terminating.
    let status = eventually("everything is ready", || {
        let status = status(namespace());
        (status["ready"] == true).then_some(status)
    });
    let pods = status["pods"].as_array().unwrap();
    let wasm: BTreeSet<&str> = pods
        .iter()
        .filter(|pod| pod["mode"] == "aot")
        .map(|pod| pod["workload"].as_str().unwrap())
        .collect();
    let services = ["events", "orders", "page", "pricing"].map(|name| format!("Deployment/{name}"));
    assert_eq!(wasm, services.iter().map(String::as_str).collect(), "{status:#}");

    let containers = |arguments: &[&str]| {
        let lines = deploy_tool(
            &[
                &["logs", "orders", "--namespace", namespace(), "--output", "json"],
                arguments,
            ]
            .concat(),
        );
        let lines = lines.success().stdout;
        let names = lines.lines().map(|line| {
            let line: Value = serde_json::from_str(line).unwrap();
            line["container"]
                .as_str()
                .unwrap_or_else(|| panic!("{line}"))
                .to_owned()
        });
        names.collect::<BTreeSet<String>>()
    };
    // What has waited for the broker has done its work.
    assert_eq!(
        containers(&[]),
        BTreeSet::from(["daprd".to_owned(), "orders".to_owned()])
    );
    assert_eq!(
        containers(&["--container", "daprd"]),
        BTreeSet::from(["daprd".to_owned()])
    );
}
