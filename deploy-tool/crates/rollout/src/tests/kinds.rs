//! What is waited for at all, what has to be watched for it, and kinds whose rules need no pods.

use kube_core::GroupVersionKind;

use super::*;
use diagnostics::code::rollout::*;

#[test]
fn only_what_can_be_late_is_waited_for() {
    let target = |object: Value| Target::from_object(&object);
    let object = |api_version: &str, kind: &str| json!({"apiVersion": api_version, "kind": kind, "metadata": {"name": "a", "namespace": "n", "generation": 3}});
    for (api_version, kind) in [
        ("v1", "ConfigMap"),
        ("v1", "Service"),
        ("batch/v1", "CronJob"),
        ("networking.k8s.io/v1", "Ingress"),
        ("rbac.authorization.k8s.io/v1", "Role"),
    ] {
        assert_eq!(target(object(api_version, kind)), None, "{kind}");
    }
    let mut balanced = object("v1", "Service");
    balanced["spec"]["type"] = json!("LoadBalancer");
    assert!(target(balanced).is_some());
    assert!(target(object("example.org/v1", "Thing")).is_some());
    let mut deployment = object("apps/v1", "Deployment");
    deployment["spec"]["selector"] = json!({"matchLabels": {"app": "a"}, "matchExpressions": [
        {"key": "tier", "operator": "In", "values": ["x", "y"]}]});
    deployment["metadata"]["annotations"] = json!({"deploy-tool.dev/database": "db"});
    let target = target(deployment).unwrap();
    assert_eq!((target.title().as_str(), target.generation), ("Deployment `a`", 3));
    assert_eq!(target.selector.as_deref(), Some("app=a,tier in (x,y)"));
    assert_eq!(target.database.as_deref(), Some("db"));
}

#[test]
fn no_more_is_watched_than_needed() {
    let deployment = |name: &str| Target {
        selector: Some(format!("app={name}")),
        database: None,
        ..target(TargetKind::Deployment, name)
    };
    let selections = |targets: &[Target], kind: NeedKind| -> Vec<Selection> {
        let needs = watch_set(targets).into_iter().filter(|need| need.kind == kind);
        needs.map(|need| need.selection).collect()
    };
    let labels = |name: &str| Selection::Labels(format!("app={name}"));
    let two = [deployment("a"), deployment("b")];
    assert_eq!(selections(&two, NeedKind::Pods), [labels("a"), labels("b")]);
    assert_eq!(selections(&two, NeedKind::Events), [Selection::All]);
    assert_eq!(
        selections(&two, NeedKind::Target(TargetKind::Deployment)),
        [Selection::Name("a".into()), Selection::Name("b".into())]
    );
    let many: Vec<Target> = ["a", "b", "c", "d", "e", "f"].into_iter().map(deployment).collect();
    assert_eq!(selections(&many, NeedKind::Pods), [Selection::All]);
    // The pods of a database whose labels nobody knows are among those of the namespace.
    let with_database = Target {
        database: Some("db".into()),
        ..deployment("a")
    };
    assert_eq!(
        selections(std::slice::from_ref(&with_database), NeedKind::Pods),
        [Selection::All]
    );
    let database = Target {
        selector: Some("app=db".into()),
        ..target(TargetKind::StatefulSet, "db")
    };
    assert_eq!(
        selections(&[database, with_database], NeedKind::Pods),
        [labels("db"), labels("a")]
    );
}

#[test]
fn conditions_decide_where_no_other_rule_does() {
    let kind = GroupVersionKind::gvk("example.org", "v1", "Thing");
    let target = Target {
        namespace: "n".into(),
        ..target(TargetKind::Generic(kind.clone()), "a")
    };
    let with = |status: Value| {
        let mut objects = Objects::default();
        let thing = json!({"apiVersion": "example.org/v1", "kind": "Thing",
            "metadata": {"name": "a", "namespace": "n", "generation": 2}, "status": status});
        objects
            .others
            .insert(other_key(&kind, "n", "a"), serde_json::from_value(thing).unwrap());
        evaluate(&target, &objects, clock(1))
    };
    let condition = |kind: &str, status: &str| {
        json!({"conditions": [
        {"type": kind, "status": status, "reason": "Because", "message": "of this"}]})
    };
    for done in [
        json!({}),
        condition("Ready", "True"),
        condition("Available", "True"),
        condition("Stalled", "False"),
    ] {
        super::done(with(done), "");
    }
    in_progress(with(json!({"observedGeneration": 1})), "has not seen the change");
    blocked(
        with(condition("Ready", "False")),
        &NOT_READY,
        &["is not ready: of this"],
    );
    blocked(
        with(condition("Ready", "Unknown")),
        &NOT_READY,
        &["is not ready: of this"],
    );
    in_progress(with(condition("Reconciling", "True")), "of this");
    failed(with(condition("Stalled", "True")), &STALLED, &["cannot go on: of this"]);
}

#[test]
fn a_finalizer_that_holds_is_named() {
    let mut objects = world();
    let mut leaving = deployment(2, 2, [1, 1, 1]);
    leaving["metadata"]["deletionTimestamp"] = json!(APPLIED);
    leaving["metadata"]["finalizers"] = json!(["foregroundDeletion"]);
    put(&mut objects.deployments, "app", leaving.clone());
    in_progress(app(&objects, 60), "being deleted");
    leaving["metadata"]["finalizers"] = json!(["example.org/keep"]);
    put(&mut objects.deployments, "app", leaving);
    blocked(app(&objects, 14), &HELD, &["held by example.org/keep"]);
    clear(
        app(&objects, 15),
        &HELD,
        &["held by example.org/keep", "--namespace n patch deployment app"],
    );
}

#[test]
fn a_stateful_set_need_not_replace_every_pod() {
    let target = target(TargetKind::StatefulSet, "db");
    let ready = || json!({"ready": true, "state": {"running": {}}});
    let mut objects = world();
    put(&mut objects.pods, "db-0", database_pod("r1", ready()));
    in_progress(
        evaluate(&target, &objects, clock(5)),
        "0 of 1 ready; 1 of the old revision left",
    );
    for strategy in [
        json!({"type": "OnDelete"}),
        json!({"type": "RollingUpdate", "rollingUpdate": {"partition": 1}}),
    ] {
        let mut set = stateful_set("r2");
        set["spec"]["updateStrategy"] = strategy;
        put(&mut objects.stateful_sets, "db", set);
        done(
            evaluate(&target, &objects, clock(5)),
            "1 of 1 ready; 1 stay as they were",
        );
    }
}

#[test]
fn rows_say_what_their_columns_do_not() {
    let mut objects = world();
    put(
        &mut objects.pods,
        "app-1",
        pod("app-1", "app-new", waiting("ContainerCreating", "", 0, json!({}))),
    );
    let targets = [
        target(TargetKind::StatefulSet, "db"),
        target(TargetKind::Deployment, "app"),
    ];
    let rows = targets.map(|target| Row::from(&evaluate(&target, &objects, clock(5))));
    assert_eq!((rows[0].state, rows[0].reason.as_str()), (RowState::Done, ""));
    assert_eq!(
        (rows[1].title.as_str(), rows[1].ready),
        ("Deployment `app`", Some((0, 1)))
    );
    assert_eq!(rows[1].reason, "container `app` of pod `app-1` is being created");
    // The failure of an object names it; beside its title it need not.
    let mut paused = deployment(2, 2, [1, 0, 0]);
    paused["spec"]["paused"] = json!(true);
    put(&mut objects.deployments, "app", paused);
    let status = evaluate(&targets_held(), &objects, clock(5));
    assert_eq!(Row::from(&status).state, RowState::Failed);
    assert_eq!(Row::from(&status).ready, Some((0, 1)));
}

fn targets_held() -> Target {
    Target {
        is_held: true,
        ..target(TargetKind::Deployment, "app")
    }
}

#[test]
fn the_second_of_the_start_counts_as_after_it() {
    let start: Timestamp = "2026-01-01T00:00:00.9Z".parse().unwrap();
    let clock = Clock::new(start, start);
    assert_eq!((clock.since, clock.now), (APPLIED.parse().unwrap(), start));
}
