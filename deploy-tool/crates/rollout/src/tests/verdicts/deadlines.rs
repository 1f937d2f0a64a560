//! A Deployment's own deadline, nodes that are on their way, a quota that frees itself.

use super::super::story::*;
use super::super::*;
use diagnostics::code::rollout::*;

#[test]
fn a_deadline_counts_from_what_was_applied() {
    // (a) It is of this generation, the container crashes, everything else is done.
    let mut story = Story::new(&[app_target()], app_with(crashed(2, 11, "20s"), json!({})));
    story.waits(12);
    put_app(&mut story.objects, crashed(8, 115, "5m0s"), json!({}));
    deadline_exceeded(&mut story.objects, 115);
    story.fails(119, &CRASH_LOOP, &["has ended 9 times"]);
    // (b) It is of two hours ago, and only a ConfigMap has changed.
    let probes = json!({"readinessProbe": {"exec": {"command": ["true"]}}});
    let mut story = Story::new(&[app_target()], app_with(runs_since(-7200), probes));
    deadline_exceeded(&mut story.objects, -7200);
    story.waits(5);
    story.waits(604);
    story.fails(605, &READINESS_PROBE, &["is not ready"]);
}

fn without_node() -> Objects {
    let mut objects = app_with(json!({}), json!({}));
    let pod = objects.pods.get_mut("n/app-1").unwrap();
    pod.spec.as_mut().unwrap().node_name = None;
    pod.status = serde_json::from_value(json!({"phase": "Pending", "conditions": [{"type": "PodScheduled",
        "status": "False", "reason": "Unschedulable", "message": "0/3 nodes are available: 3 Insufficient cpu."}]}))
    .unwrap();
    objects
}

#[test]
fn a_node_on_its_way_is_waited_for() {
    let mut story = Story::new(&[app_target()], without_node());
    event(
        &mut story.objects,
        "app-1",
        "TriggeredScaleUp",
        "pod triggered scale-up",
        20,
        1,
    );
    story.waits(1);
    deadline_exceeded(&mut story.objects, 140);
    story.waits(200);
    assert!(story.tracker.has_scale_up(&story.objects, clock(200)));
    story.waits(919);
    // A quarter of an hour is over, and so is the Deployment's own time.
    story.fails(921, &UNSCHEDULABLE, &["Insufficient cpu"]);
}

#[test]
fn without_a_node_the_deployments_own_deadline_decides() {
    let mut story = Story::new(&[app_target()], without_node());
    event(
        &mut story.objects,
        "app-1",
        "NotTriggerScaleUp",
        "pod didn't trigger scale-up",
        290,
        31,
    );
    story.waits(1);
    story.waits(300);
    clear(story.status("app", 300), &UNSCHEDULABLE, &["Insufficient cpu"]);
    deadline_exceeded(&mut story.objects, 600);
    story.fails(601, &UNSCHEDULABLE, &["Insufficient cpu"]);
}

#[test]
fn a_quota_frees_itself() {
    let mut objects = world();
    put(&mut objects.deployments, "app", deployment(2, 2, [4, 0, 4]));
    let mut leaving = pod("app-0", "app-old", json!({"ready": true}));
    leaving["metadata"]["deletionTimestamp"] = json!(at(10).to_string());
    put(&mut objects.pods, "app-0", leaving);
    event(
        &mut objects,
        "app-new",
        "FailedCreate",
        "pods \"x\" is forbidden: exceeded quota: q",
        2,
        3,
    );
    for policy in [Policy::default(), Policy { fail_fast: true }] {
        let mut story = Story::with_policy(&[app_target()], objects.clone(), policy);
        story.waits(3);
        blocked(story.status("app", 30), &QUOTA, &["exceeded quota: q"]);
        story.waits(30);
        // The controller is made to try again at once when a pod has gone.
        let mut target = app_target();
        target.surplus_gone = false;
        assert_eq!(
            refused_before(&target, &story.objects, at(10)).map(|controller| controller.kind),
            Some("ReplicaSet")
        );
    }
}

#[test]
fn the_time_limit_is_longer_than_any_deadline() {
    let limit = |spec: Value, kind: (&str, &str)| {
        let object = json!({"apiVersion": kind.0, "kind": kind.1, "metadata": {"name": "a"}, "spec": spec});
        default_time_limit(&Target::from_object(&object).into_iter().collect::<Vec<_>>()).as_secs()
    };
    let (deployment, job) = (("apps/v1", "Deployment"), ("batch/v1", "Job"));
    assert_eq!(default_time_limit(&[]).as_secs(), 900);
    assert_eq!(limit(json!({}), deployment), 900);
    assert_eq!(
        limit(
            json!({"progressDeadlineSeconds": 1800, "minReadySeconds": 60}),
            deployment
        ),
        1860
    );
    let template = json!({"spec": {"containers": [{"name": "a", "startupProbe": {"failureThreshold": 30},
        "readinessProbe": {"initialDelaySeconds": 5}}]}});
    // 30 × 10 s and one for the answer, then (1 + 3) × 10 s and another.
    assert_eq!(
        limit(
            json!({"progressDeadlineSeconds": 1800, "template": template}),
            deployment
        ),
        1800 + 301 + 41
    );
    assert_eq!(limit(json!({"activeDeadlineSeconds": 7200}), job), 7200);
    // No deadline is what the largest number means.
    assert_eq!(limit(json!({"progressDeadlineSeconds": i32::MAX}), deployment), 900);
}
