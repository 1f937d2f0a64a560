//! One deliberate failure of each kind: `up` gives up by itself, with a non-zero exit, and says why from the pod.
//!
//! Each deployment has a namespace of its own and all the time in the world (four minutes); what is asserted is that
//! the reason comes long before, and what it says.

use std::time::Duration;

use crate::harness::{Deployment, answered};

/// Long enough for a busy machine, and far from the time-out.
const EARLY: Duration = Duration::from_secs(100);

/// The exit code of a deployment that failed in the cluster.
const FAILED: i32 = 2;

/// The first document of manifests/mariadb.yaml.
fn the_secret_alone(text: &str) -> Option<String> {
    text.split("\n---").next().map(|secret| format!("{secret}\n"))
}

/// The app alone, with the Secret it reads: these failures come before the database matters.
fn app_with(namespace: &str, change: impl Fn(String) -> String) -> Deployment {
    Deployment::new(namespace, |name, text| match name {
        "mariadb.yaml" => the_secret_alone(&text),
        "app.yaml" => {
            let changed = change(text.clone());
            assert_ne!(
                changed, text,
                "the test changes nothing: manifests/app.yaml is written differently now"
            );
            Some(changed)
        }
        _ => Some(text),
    })
}

#[track_caller]
fn fails_early(deployment: &Deployment, sentences: &[&str]) {
    let (said, duration) = deployment.up();
    println!(
        "{} after {:.1} s: {}",
        deployment.namespace,
        duration.as_secs_f32(),
        said.stderr.trim_end()
    );
    said.failure(FAILED, sentences);
    assert!(duration < EARLY, "it took {} s to say so", duration.as_secs());
    assert_eq!(
        answered("GET", "/healthz", None).0,
        200,
        "the service beside it is not disturbed"
    );
}

#[test]
#[ignore = "needs a cluster, see main.rs"]
fn an_image_that_nobody_has() {
    // Port 9 of the node itself (discard): refused at once, and nothing leaves the machine.
    let image = "127.0.0.1:9/nobody/has-this:1";
    let deployment = app_with("image", |text| text.replace("deploy-tool://app", image));
    fails_early(&deployment, &[image, "image"]);
}

#[test]
#[ignore = "needs a cluster, see main.rs"]
fn the_annotation_lost() {
    let deployment = app_with("annotation", |text| {
        text.replace("module.wasm.image/variant: compat-smart", "example.org/other: nothing")
    });
    fails_early(&deployment, &["module.wasm.image/variant"]);
}

#[test]
#[ignore = "needs a cluster, see main.rs"]
fn a_handler_that_no_node_has() {
    let deployment = Deployment::new("handler", |name, text| match name {
        "mariadb.yaml" => the_secret_alone(&text),
        "runtimeclass.yaml" => Some(
            text.replace("name: crun-wasm", "name: crun-wasm-test")
                .replace("handler: crun", "handler: nowhere"),
        ),
        "app.yaml" => Some(text.replace("runtimeClassName: crun-wasm", "runtimeClassName: crun-wasm-test")),
        _ => Some(text),
    });
    fails_early(&deployment, &["nowhere", "runtime"]);
    crate::harness::kubectl(&["delete", "runtimeclass", "crun-wasm-test"]).success();
}

#[test]
#[ignore = "needs a cluster, see main.rs"]
fn a_runtime_class_that_is_not_there() {
    let deployment = app_with("class", |text| {
        text.replace("runtimeClassName: crun-wasm", "runtimeClassName: not-there")
    });
    fails_early(&deployment, &["not-there", "RuntimeClass"]);
}

#[test]
#[ignore = "needs a cluster, see main.rs"]
fn a_crash_loop_shows_the_last_words() {
    let deployment = app_with("crash", |text| text.replace("value: \"3306\"", "value: \"banana\""));
    fails_early(&deployment, &["DATABASE_PORT", "must be a port number"]);
}

#[test]
#[ignore = "needs a cluster, see main.rs"]
fn a_pod_that_fits_on_no_node() {
    let deployment = app_with("fit", |text| text.replace("cpu: 50m", "cpu: \"500\""));
    fails_early(&deployment, &["Insufficient cpu"]);
}

#[test]
#[ignore = "needs a cluster, see main.rs"]
fn a_pod_that_pod_security_refuses() {
    let deployment = app_with("security", |text| {
        text.replace("allowPrivilegeEscalation: false", "allowPrivilegeEscalation: true")
    });
    fails_early(&deployment, &["allowPrivilegeEscalation"]);
}

#[test]
#[ignore = "needs a cluster, see main.rs"]
fn too_little_memory_to_start() {
    let deployment = app_with("memory", |text| {
        text.replace("memory: 128Mi", "memory: 6Mi")
            .replace("memory: 48Mi", "memory: 6Mi")
    });
    fails_early(&deployment, &["memory"]);
}

#[test]
#[ignore = "needs a cluster, see main.rs"]
fn a_database_that_does_not_start() {
    let deployment = Deployment::new("database", |name, text| {
        Some(if name == "mariadb.yaml" {
            text.replace("--skip-name-resolve", "--no-such-option")
        } else {
            text
        })
    });
    fails_early(&deployment, &["mariadb", "no-such-option"]);
}

#[test]
#[ignore = "needs a cluster, see main.rs"]
fn a_service_that_cannot_reach_its_database() {
    let deployment = Deployment::new("unreachable", |name, text| {
        Some(if name == "app.yaml" {
            text.replace("mariadb.unreachable.svc", "nowhere.unreachable.svc")
        } else {
            text
        })
    });
    fails_early(&deployment, &["app", "database"]);
}
