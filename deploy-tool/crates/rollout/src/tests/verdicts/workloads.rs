//! Workloads that are paused, being deleted, of another revision, or of kinds that nobody here knows.

use super::super::story::*;
use super::super::*;
use diagnostics::code::rollout::*;
use kube_core::GroupVersionKind;

#[test]
fn paused() {
    let paused = |counts: [i32; 3]| {
        let mut objects = world();
        let mut deployment = deployment(2, 2, counts);
        deployment["spec"]["paused"] = json!(true);
        put(&mut objects.deployments, "app", deployment);
        put(&mut objects.pods, "app-0", pod("app-0", "app-new", ready_since(-60)));
        objects
    };
    // (a) by its own manifest, (b) by somebody else.
    let own = Target {
        is_held: true,
        ..app_target()
    };
    Story::new(std::slice::from_ref(&own), paused([1, 0, 1])).fails(
        1,
        &PAUSED,
        &["by its own manifest", "paused: true"],
    );
    let mut story = Story::new(&[app_target()], paused([1, 0, 1]));
    story.waits(1);
    let diagnosis = clear(story.status("app", 1), &PAUSED, &["rollout resume deployment/app"]);
    assert!(diagnosis.sentence.contains("is paused"));
    story.waits(600);
    story.fails(662, &PAUSED, &["is paused"]);
    // Its template is rolled out: that it is paused changes nothing.
    Story::new(&[own], paused([1, 1, 1])).is_ready(20);
}

#[test]
fn what_is_being_deleted_is_never_done() {
    let mut objects = app_with(ready_since(-60), json!({}));
    let deployment = objects.deployments.get_mut("n/app").unwrap();
    deployment.metadata.deletion_timestamp = Some(serde_json::from_value(json!(APPLIED)).unwrap());
    deployment.metadata.finalizers = Some(vec!["foregroundDeletion".to_owned()]);
    let mut story = Story::new(&[app_target()], objects);
    story.waits(60);
    in_progress(story.status("app", 60), "being deleted");
}

#[test]
fn a_broken_pod_of_the_old_revision_is_named() {
    let mut objects = world();
    put(&mut objects.pods, "db-0", database_pod("r1", crashed(5, 80, "2m40s")));
    let mut story = Story::new(&[plain_target(TargetKind::StatefulSet, "db")], objects);
    story.waits(100);
    in_progress(
        story.status("db", 100),
        "pod `db-0` is of the old revision and has to be replaced first",
    );
}

#[test]
fn a_dead_node_holds_up_no_daemon_set() {
    let pod_on = |node: &str, ready: bool| {
        let mut pod = pod(
            &format!("agent-{node}"),
            "agent",
            json!({"ready": ready, "state": {"running": {"startedAt": APPLIED}}}),
        );
        pod["spec"]["nodeName"] = json!(node);
        pod
    };
    let story = |ready: &str| {
        let mut objects = Objects::default();
        let set = json!({"apiVersion": "apps/v1", "kind": "DaemonSet",
            "metadata": {"name": "agent", "namespace": "n", "uid": "agent", "generation": 2},
            "spec": {"selector": {}, "template": {}}, "status": {"observedGeneration": 2, "desiredNumberScheduled": 3,
            "currentNumberScheduled": 3, "numberMisscheduled": 0, "numberReady": 2, "numberAvailable": 2,
            "updatedNumberScheduled": 3}});
        objects.insert(&set).unwrap();
        for (node, ready) in [("a", true), ("b", true), ("c", false)] {
            put(&mut objects.pods, &format!("agent-{node}"), pod_on(node, ready));
        }
        let node = json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "c"},
            "status": {"conditions": [{"type": "Ready", "status": ready}]}});
        objects.insert(&node).unwrap();
        Story::new(&[plain_target(TargetKind::DaemonSet, "agent")], objects)
    };
    let mut dead = story("Unknown");
    dead.is_ready(60);
    done(
        dead.status("agent", 60),
        "2 of 3 ready; not on c: such nodes are not ready",
    );
    story("True").waits(60);
}

#[test]
fn a_crash_loop_beside_a_long_pull_ends_a_wait_that_fails_fast() {
    let mut objects = Objects::default();
    let set = json!({"apiVersion": "apps/v1", "kind": "DaemonSet",
        "metadata": {"name": "agent", "namespace": "n", "uid": "agent", "generation": 2},
        "spec": {"selector": {}, "template": {}}, "status": {"observedGeneration": 2, "desiredNumberScheduled": 2,
        "currentNumberScheduled": 2, "numberMisscheduled": 0, "numberReady": 0, "updatedNumberScheduled": 2}});
    objects.insert(&set).unwrap();
    let pulls = waiting("ContainerCreating", "", 0, json!({}));
    for (name, container) in [("agent-a", crashed(3, 20, "40s")), ("agent-b", pulls)] {
        put(&mut objects.pods, name, pod(name, "agent", container));
    }
    let target = [plain_target(TargetKind::DaemonSet, "agent")];
    let mut patient = Story::new(&target, objects.clone());
    let mut story = Story::with_policy(&target, objects, Policy { fail_fast: true });
    for seconds in [25, 34] {
        story.waits(seconds);
        patient.waits(seconds);
    }
    story.fails(35, &CRASH_LOOP, &["has ended 4 times"]);
    patient.waits(35);
}

#[test]
fn a_daemon_set_says_that_old_pods_stay() {
    let mut objects = Objects::default();
    let set = json!({"apiVersion": "apps/v1", "kind": "DaemonSet",
        "metadata": {"name": "agent", "namespace": "n", "uid": "agent", "generation": 2},
        "spec": {"selector": {}, "template": {}, "updateStrategy": {"type": "OnDelete"}},
        "status": {"observedGeneration": 2, "desiredNumberScheduled": 2, "currentNumberScheduled": 2,
            "numberMisscheduled": 0, "numberReady": 2, "numberAvailable": 2, "updatedNumberScheduled": 0}});
    objects.insert(&set).unwrap();
    let mut story = Story::new(&[plain_target(TargetKind::DaemonSet, "agent")], objects);
    done(
        story.status("agent", 60),
        "2 of 2 ready; 2 stay as they were, as its `updateStrategy` says",
    );
}

/// Nobody else looks at their pods.
#[test]
fn what_keeps_a_number_of_pods_without_a_deployment_is_waited_for() {
    for (group, kind) in [("apps", "ReplicaSet"), ("", "ReplicationController")] {
        let api_version = if group.is_empty() { "v1" } else { "apps/v1" };
        let set = json!({"apiVersion": api_version, "kind": kind,
            "metadata": {"name": "web", "namespace": "n", "uid": "web", "generation": 1},
            "spec": {"replicas": 1, "selector": {"app": "web"}}, "status": {"replicas": 1, "observedGeneration": 1}});
        let target = Target::from_object(&set).unwrap();
        let pods = watch_set(std::slice::from_ref(&target));
        assert!(pods.iter().any(|need| need.kind == NeedKind::Pods), "{kind}");
        let of_kind = GroupVersionKind::gvk(group, "v1", kind);
        let mut objects = Objects::default();
        let stored = serde_json::from_value(set).unwrap();
        objects.others.insert(other_key(&of_kind, "n", "web"), stored);
        let mut story = Story::new(&[target], objects);
        story.waits(1);
        in_progress(story.status("web", 1), "0 of 1 pods are there");
        let cannot_pull =
            json!({"ready": false, "state": {"waiting": {"reason": "ErrImagePull", "message": "not found"}}});
        put(&mut story.objects.pods, "web-1", pod("web-1", "web", cannot_pull));
        story.waits(5);
        let running = json!({"ready": true, "state": {"running": {"startedAt": APPLIED}}});
        put(&mut story.objects.pods, "web-1", pod("web-1", "web", running));
        story.is_ready(60);
        done(story.status("web", 60), "1 of 1 ready");
    }
}

#[test]
fn a_custom_object_is_not_done_before_its_controller_has_looked() {
    let mut story = Story::new(&[custom("database")], Objects::default());
    let ready = json!({"observedGeneration": 1, "conditions": [{"type": "Ready", "status": "True"}]});
    put_custom(&mut story.objects, "database", ready);
    story.waits(5);
    in_progress(story.status("database", 5), "has not seen the change");
    let declared = Target {
        has_conditions: true,
        ..custom("database")
    };
    let mut story = Story::new(&[declared], Objects::default());
    put_custom(&mut story.objects, "database", Value::Null);
    story.waits(5);
    in_progress(story.status("database", 5), "its controller has not looked at it yet");
    story.is_ready(60);
    let schema = |status: Value| {
        json!({"spec": {"versions": [{"name": "v1", "schema": {"openAPIV3Schema": {"properties": {"status":
            {"properties": status}}}}}]}})
    };
    assert!(declares_conditions(&schema(json!({"conditions": {}})), "v1"));
    assert!(!declares_conditions(&schema(json!({"conditions": {}})), "v2"));
    assert!(!declares_conditions(&schema(json!({"phase": {}})), "v1"));
}

#[test]
fn an_object_that_is_deleted_while_it_is_waited_for_has_failed() {
    let stored = Target {
        uid: Some("d".into()),
        ..app_target()
    };
    Story::new(std::slice::from_ref(&stored), Objects::default()).fails(1, &GONE, &["has been deleted since"]);
    // Somebody has made another one of that name: it is waited for, whatever its generation.
    let mut recreated = app_with(ready_since(0), json!({}));
    let deployment = recreated.deployments.get_mut("n/app").unwrap();
    deployment.metadata.generation = Some(1);
    let known = Target {
        uid: Some("another".into()),
        generation: 7,
        ..stored
    };
    Story::new(&[known], recreated).is_ready(20);
}
