//! The project's own manifests, broken: the services say themselves what they miss.
//!
//! Each deployment has a namespace of its own and all the time in the world; what is asserted is that the reason comes long
//! before that is over, and what it says.

use super::FAILED;
use crate::harness::{Deployment, answered, time_limit};

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
    let (output, duration) = deployment.up();
    println!(
        "{} after {:.1} s: {}",
        deployment.namespace.name,
        duration.as_secs_f32(),
        output.stderr.trim_end()
    );
    output.failure(FAILED, sentences);
    assert!(duration < time_limit(), "it took {} s to say so", duration.as_secs());
    assert_eq!(
        answered("GET", "/healthz", None).0,
        200,
        "the service beside it is not disturbed"
    );
}

#[test]
#[ignore = "needs a cluster, see main.rs"]
fn the_annotation_lost() {
    let deployment = app_with("annotation", |text| {
        text.replace("module.wasm.image/variant: compat-smart", "example.org/other: nothing")
    });
    fails_early(&deployment, &["DT0309", "module.wasm.image/variant"]);
}

#[test]
#[ignore = "needs a cluster, see main.rs"]
fn a_crash_loop_shows_the_last_words() {
    let deployment = app_with("crash", |text| text.replace("value: \"3306\"", "value: \"banana\""));
    fails_early(&deployment, &["DT0312", "DATABASE_PORT", "must be a port number"]);
}

#[test]
#[ignore = "needs a cluster, see main.rs"]
fn too_little_memory_to_start() {
    let deployment = app_with("memory", |text| {
        text.replace("memory: 128Mi", "memory: 2Mi")
            .replace("memory: 48Mi", "memory: 2Mi")
    });
    fails_early(&deployment, &["DT0313", "memory"]);
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
    fails_early(&deployment, &["DT0312", "mariadb", "no-such-option"]);
}

#[test]
#[ignore = "needs a cluster, see main.rs"]
fn a_service_that_cannot_reach_its_database() {
    let deployment = Deployment::new("unreachable", |name, text| {
        Some(if name == "app.yaml" {
            text.replace("mariadb.orders.svc", "nowhere.orders.svc")
        } else {
            text
        })
    });
    fails_early(&deployment, &["DT0318", "app", "database"]);
}
