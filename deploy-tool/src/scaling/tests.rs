//! Tables of what a namespace has, and what `scale` makes of it.

use serde_json::{Value, json};

use super::*;
use crate::workload::Reference;
use diagnostics::Error;

fn deployment(name: &str, replicas: i32, pool: &str) -> Value {
    json!({"metadata": {"name": name, "generation": 4, "annotations": {"deploy-tool.dev/database": "db"}},
        "spec": {"replicas": replicas, "selector": {}, "strategy": {"rollingUpdate": {"maxSurge": 0}},
            "template": {"spec": {"containers": [{"name": "c", "env": [{"name": "DATABASE_POOL_MAX", "value": pool}]}]}}}})
}

fn set(name: &str, connections: i32) -> Value {
    json!({"metadata": {"name": name, "generation": 1}, "spec": {"replicas": 1, "selector": {}, "serviceName": name,
        "template": {"spec": {"containers": [{"name": "c", "args": [format!("--max-connections={connections}")]}]}}}})
}

fn autoscaler(target: &str, labels: &Value) -> Value {
    json!({"metadata": {"name": "auto", "labels": labels}, "spec": {"minReplicas": 2, "maxReplicas": 4,
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": target}}})
}

fn found(deployments: &[Value], sets: &[Value], autoscalers: &[Value]) -> ScalingState {
    ScalingState {
        deployments: serde_json::from_value(json!(deployments)).unwrap(),
        stateful_sets: serde_json::from_value(json!(sets)).unwrap(),
        autoscalers: serde_json::from_value(json!(autoscalers)).unwrap(),
        config_maps: Vec::new(),
    }
}

/// `app` with 2 replicas of 10 connections, `other` with 1 of 5, a database of 100; five are kept back.
fn world(autoscalers: &[Value]) -> ScalingState {
    found(
        &[deployment("app", 2, "10"), deployment("other", 1, "5")],
        &[set("db", 100)],
        autoscalers,
    )
}

fn asked(arguments: &[&str], found: &ScalingState, options: Options) -> Result<Decision, Error> {
    let targets: Vec<(Reference, i32)> = arguments
        .iter()
        .map(|argument| {
            let request: Request = argument.parse().unwrap();
            (request.workload.unwrap(), request.replicas)
        })
        .collect();
    decide(&targets, found, "namespace `n` of context `c`", options)
}

fn titles(decision: &Decision) -> Vec<String> {
    decision.changes.iter().map(Change::title).collect()
}

#[track_caller]
fn refused(result: Result<Decision, Error>, number: Option<u16>, parts: &[&str]) {
    let failure = result.unwrap_err();
    assert_eq!(failure.number().map(|code| code.number), number, "{failure}");
    let text = failure.to_string();
    for part in parts {
        assert!(text.contains(part), "`{part}` is missing in:\n{text}");
    }
}

#[test]
fn several_at_once_of_both_kinds() {
    let decision = asked(&["app=5", "sts/db=2", "other=1"], &world(&[]), Options::default()).unwrap();
    assert_eq!(
        titles(&decision),
        [
            "Deployment `app`: 2 → 5 replicas",
            "StatefulSet `db`: 1 → 2 replicas",
            "Deployment `other`: 1 replicas"
        ]
    );
    assert!(decision.warnings.is_empty() && decision.changes[2].is_nothing());
    assert_eq!(
        undo_commands(&decision.changes, "n", " --namespace n"),
        ["go back: `deploy-tool scale deployment/app=2 statefulset/db=1 --namespace n`"]
    );
}

#[test]
fn what_is_not_there_or_not_clear() {
    let two = found(&[deployment("db", 1, "1")], &[set("db", 100)], &[]);
    let none = Options::default();
    refused(
        asked(&["db=2"], &two, none),
        Some(502),
        &["deployment/db=N or statefulset/db=N"],
    );
    assert!(asked(&["sts/db=2"], &two, none).is_ok());
    let parts = [
        "Deployment or StatefulSet `nothing`",
        "namespace `n` of context `c`",
        "deployment/app, deployment/other",
    ];
    refused(asked(&["app=3", "nothing=2"], &world(&[]), none), Some(501), &parts);
    refused(
        asked(&["sts/app=2"], &world(&[]), none),
        Some(501),
        &["no StatefulSet `app`"],
    );
    refused(
        asked(&["ds/app=2"], &world(&[]), none),
        None,
        &["a DaemonSet cannot be scaled"],
    );
    refused(asked(&["app=2", "deploy/app=3"], &world(&[]), none), None, &["twice"]);
}

/// 9 × 10 + 1 × 5 + 5 fit into 100; with one more of either they do not.
#[test]
fn the_connections_of_all_new_numbers_together() {
    let none = Options::default();
    assert!(asked(&["app=9"], &world(&[]), none).is_ok());
    refused(
        asked(&["app=9", "other=2"], &world(&[]), none),
        Some(504),
        &["together 105", "at most 8", "--force"],
    );
    refused(
        asked(&["other=2", "app=9"], &world(&[]), none),
        Some(504),
        &["together 105"],
    );
    // What one gives up, another may take.
    assert!(asked(&["app=1", "other=16"], &world(&[]), none).is_ok());
    let forced = Options { force: true, ..none };
    assert_eq!(asked(&["app=10"], &world(&[]), forced).unwrap().warnings.len(), 1);
    // Fewer than now is never refused, even when it is still too many.
    let crowded = found(&[deployment("app", 20, "10")], &[set("db", 100)], &[]);
    assert_eq!(asked(&["app=15"], &crowded, none).unwrap().warnings.len(), 1);
}

#[test]
fn an_autoscaler_keeps_the_count_unless_its_bounds_may_move() {
    let world = world(&[autoscaler("app", &json!({}))]);
    let refusal = [
        "HorizontalPodAutoscaler `auto` keeps it between 2 and 4",
        "--autoscaler",
        "minReplicas to 6",
    ];
    refused(
        asked(&["other=2", "app=6"], &world, Options::default()),
        Some(503),
        &refusal,
    );
    assert!(asked(&["other=2"], &world, Options::default()).is_ok());

    let edit = Options {
        edit_autoscalers: true,
        ..Options::default()
    };
    let decision = asked(&["app=6"], &world, edit).unwrap();
    assert_eq!(
        titles(&decision),
        ["Deployment `app`: 2 → 6 replicas, HorizontalPodAutoscaler `auto`: minReplicas 2 → 6, maxReplicas 4 → 6"]
    );
    assert_eq!(decision.changes[0].count(), Some(6));
    assert!(undo_commands(&decision.changes, "n", "")[0].contains(r#"{"spec":{"minReplicas":2,"maxReplicas":4}}"#));
    // Fewer: only the minimum moves, the autoscaler does the rest. None: it sleeps. The same: nothing.
    let change = |argument| asked(&[argument], &world, edit).unwrap().changes.remove(0);
    assert_eq!(
        (change("app=1").count(), change("app=1").edit().is_some()),
        (None, true)
    );
    assert_eq!(
        (change("app=0").count(), change("app=0").edit().is_some()),
        (Some(0), false)
    );
    assert!(change("app=2").is_nothing());
}

#[test]
fn a_count_that_the_autoscaler_leaves_changes_no_bounds() {
    let mut auto = autoscaler("app", &json!({}));
    auto["status"] = json!({"currentReplicas": 2, "desiredReplicas": 3});
    let (world, none) = (world(&[auto]), Options::default());
    refused(
        asked(&["app=4"], &world, none),
        Some(503),
        &["would undo 4 within 15 s", "minReplicas to 4"],
    );
    for (argument, count) in [("app=3", Some(3)), ("app=0", Some(0)), ("app=2", None)] {
        let change = asked(&[argument], &world, none).unwrap().changes.remove(0);
        assert_eq!((change.count(), change.edit()), (count, None), "{argument}");
    }
}

#[test]
fn what_is_waited_for_is_known_as_after_a_deployment() {
    let mut app = deployment("app", 2, "1");
    app["spec"]["selector"] = json!({"matchLabels": {"app": "app"}});
    let world = found(&[app], &[], &[]);
    let awaited = |argument| {
        let change = asked(&[argument], &world, Options::default())
            .unwrap()
            .changes
            .remove(0);
        change.wait_target().unwrap()
    };
    let target = awaited("app=3");
    assert_eq!((target.generation, target.surplus_gone), (5, true));
    assert_eq!(target.selector.as_deref(), Some("app=app"));
    assert_eq!(target.database.as_deref(), Some("db"));
    assert_eq!(awaited("app=2").generation, 4);
}

#[test]
fn the_bounds_of_keda_are_its_own() {
    let world = world(&[autoscaler("app", &json!({"scaledobject.keda.sh/name": "queue"}))]);
    let edit = Options {
        edit_autoscalers: true,
        ..Options::default()
    };
    refused(
        asked(&["app=3"], &world, edit),
        Some(503),
        &["ScaledObject `queue`", "paused-replicas: \"3\""],
    );
}

#[test]
fn a_count_that_is_in_the_manifest_as_well() {
    let mut app = deployment("app", 2, "1");
    app["metadata"]["managedFields"] =
        json!([{"manager": "deploy-tool", "operation": "Apply", "fieldsV1": {"f:spec": {"f:replicas": {}}}}]);
    let world = found(&[app], &[], &[]);
    let warnings = asked(&["app=3"], &world, Options::default()).unwrap().warnings;
    assert!(warnings[0].contains("sets `replicas`"), "{warnings:?}");
    assert!(
        asked(&["app=2"], &world, Options::default())
            .unwrap()
            .warnings
            .is_empty()
    );
}
