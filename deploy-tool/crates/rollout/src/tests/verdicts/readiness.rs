//! What is slow is no failure, and what is ready has to stay so.

use super::super::story::*;
use super::super::*;

#[test]
fn slow_readiness_is_no_failure() {
    let probes = json!({"readinessProbe": {"initialDelaySeconds": 90, "exec": {"command": ["true"]}}});
    let mut story = Story::new(&[app_target()], app_with(runs_since(0), probes));
    for seconds in 0..6 {
        event(
            &mut story.objects,
            "app-1",
            "Unhealthy",
            "Readiness probe failed: no",
            91 + 10 * seconds,
            1,
        );
    }
    story.waits(60);
    in_progress(story.status("app", 60), "is starting");
    in_progress(story.status("app", 130), "is not ready: Readiness probe failed: no");
    story.waits(150);
    let status = story.status("app", 150);
    assert!(
        status.sentence().contains("its probes give it 131 s"),
        "{}",
        status.sentence()
    );
    waiting_of(status, WaitClass::Blocked);
}

#[test]
fn a_container_without_probe_has_to_run_for_a_while() {
    let mut story = Story::new(&[app_target()], app_with(ready_since(0), json!({})));
    story.waits(4);
    settling(story.status("app", 4), "has to stay so for 10 s");
    story.is_ready(10);
}

#[test]
fn after_a_restart_for_longer_than_the_run_before() {
    let mut container = ready_since(20);
    container["restartCount"] = json!(1);
    container["lastState"] = run(10, 18, 0);
    let mut story = Story::new(&[app_target()], app_with(container, json!({})));
    story.waits(29);
    settling(story.status("app", 29), "has to stay so for 17 s");
    story.waits(36);
    story.is_ready(38);
}

#[test]
fn a_liveness_probe_that_fails_has_its_say() {
    let probes = json!({"livenessProbe": {"initialDelaySeconds": 5, "exec": {"command": ["true"]}}});
    let mut story = Story::new(&[app_target()], app_with(ready_since(0), probes));
    event(
        &mut story.objects,
        "app-1",
        "Unhealthy",
        "Liveness probe failed: no",
        15,
        2,
    );
    story.waits(20);
    // The container has 30 s to end by itself, and runs meanwhile.
    settling(story.status("app", 70), "has to stay so for 71 s");
    story.is_ready(71);
}

/// Answers that are failures go on until the kubelet ends the container, and that takes a moment more.
#[test]
fn while_a_liveness_probe_fails_nothing_is_ready() {
    let probes = json!({"livenessProbe": {"exec": {"command": ["false"]}, "terminationGracePeriodSeconds": 0}});
    let mut story = Story::new(&[app_target()], app_with(ready_since(0), probes));
    for (seconds, count) in [(9, 1), (19, 2), (29, 3)] {
        event(
            &mut story.objects,
            "app-1",
            "Unhealthy",
            "Liveness probe failed: ",
            seconds,
            count,
        );
        story.waits(seconds + 1);
    }
    settling(story.status("app", 34), "has to stay so for 45 s");
    story.waits(44);
}
