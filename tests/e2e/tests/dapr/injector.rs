//! What only the injected form has: an injector that may be away, and sidecars that know each other by certificates.

use std::process::Command;

use serde_json::{Value, json};

use crate::checks::{FAILED, deployment};
use crate::demo::{Form, form, is_ready, namespace, whole};
use crate::harness::{Case, CommandOutput, Namespace, await_that, eventually, kubectl, pods, tool_timeout};

/// Where the control plane is, and the label of the injector's pods.
const CONTROL_PLANE: &str = "dapr-system";
const INJECTOR: &str = "app=dapr-sidecar-injector";

fn scale_injector(replicas: usize) {
    let replicas = format!("--replicas={replicas}");
    let deployment = "deployment/dapr-sidecar-injector";
    kubectl(&["--namespace", CONTROL_PLANE, "scale", deployment, &replicas]).success();
}

/// The injector is away as long as this lives.
struct InjectorAway;

impl InjectorAway {
    fn begin() -> Self {
        let away = Self;
        scale_injector(0);
        await_that("the injector is gone", || pods(CONTROL_PLANE, INJECTOR).is_empty());
        away
    }
}

impl Drop for InjectorAway {
    fn drop(&mut self) {
        scale_injector(1);
    }
}

/// The names of a pod's containers.
fn containers(pod: &Value) -> Vec<&str> {
    let all = pod["spec"]["containers"].as_array().unwrap().iter();
    all.map(|container| container["name"].as_str().unwrap()).collect()
}

#[test]
#[ignore = "needs the demo with a control plane, see main.rs"]
fn pods_that_start_while_the_injector_is_away_are_no_success_until_they_are_made_again() {
    assert_eq!(form(), Form::Injected, "DAPR_FORM=injected");
    // What the webhook covers.
    let case = Case {
        namespace: Namespace::create("dapr-away", &[("dapr-injection", "enabled")]),
        folder: tempfile::tempdir().unwrap(),
    };
    case.write(&[deployment(&json!({
        "dapr.io/enabled": "true", "dapr.io/app-id": "waits", "dapr.io/block-shutdown-duration": "1s",
        // Which a sidecar that is made from Go modules has not.
        "dapr.io/disable-builtin-k8s-secret-store": "true"
    }))]);
    let away = InjectorAway::begin();
    case.run(&["apply", "--fail-fast", "--timeout", &tool_timeout()])
        .failure(
            FAILED,
            &["error DT0340:", "has no container `daprd`", "deploy-tool restart"],
        );
    drop(away);
    await_that("the injector is back", || {
        let pods = pods(CONTROL_PLANE, INJECTOR);
        pods.len() == 1 && pods.iter().all(is_ready)
    });
    // The API server hears of the injector's new address a little later.
    eventually("the pods that are made again have their sidecar", || {
        let output = case.run(&["restart", "--fail-fast", "--timeout", &tool_timeout()]);
        (output.code == 0).then_some(())
    });
    let pods = pods(&case.namespace.name, "app=waits");
    let with_sidecar = pods.iter().filter(|pod| containers(pod) == ["main", "daprd"]);
    assert!(with_sidecar.count() >= 1, "{pods:?}");
}

/// Nobody without a certificate of sentry's gets to a service through its sidecar.
#[test]
#[ignore = "needs the demo with a control plane, see main.rs"]
fn sidecars_know_each_other_by_certificates() {
    assert_eq!(form(), Form::Injected, "DAPR_FORM=injected");
    whole();
    let pod = pods(namespace(), "app=pricing").remove(0);
    let address = format!("{}:50002", pod["status"]["podIP"].as_str().unwrap());
    let node = pod["spec"]["nodeName"].as_str().unwrap();
    let curl = |protocol: &str| {
        let url = format!("{protocol}://{address}/");
        let arguments = [
            "exec",
            node,
            "curl",
            "--verbose",
            "--http2-prior-knowledge",
            "--insecure",
            &url,
        ];
        CommandOutput::from(Command::new("docker").args(arguments).output().unwrap())
    };
    let plain = curl("http");
    assert_ne!(plain.code, 0, "{}", plain.stderr);
    let tls = curl("https");
    assert_ne!(tls.code, 0, "{}", tls.stderr);
    assert!(tls.stderr.contains("certificate required"), "{}", tls.stderr);
}
