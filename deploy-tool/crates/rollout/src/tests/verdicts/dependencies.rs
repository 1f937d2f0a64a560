//! What another object of the release makes, or has to be there before, is waited for.

use super::super::story::*;
use super::super::*;
use diagnostics::code::rollout::*;

#[test]
fn a_secret_that_an_operator_makes() {
    let missing = waiting(
        "CreateContainerConfigError",
        "secret \"db-app\" not found",
        0,
        json!({}),
    );
    let mut story = Story::new(&[custom("database"), app_target()], app_with(missing, json!({})));
    put_custom(
        &mut story.objects,
        "database",
        json!({"conditions": [{"type": "Reconciling", "status": "True"}]}),
    );
    story.waits(1);
    story.waits(70);
    let reason = story.status("app", 70).sentence();
    assert!(
        reason.contains("Secret `db-app`, which is not there; Database `database` may still make it"),
        "{reason}"
    );
    // However long it takes, while it is at it.
    story.waits(5000);
    put_custom(
        &mut story.objects,
        "database",
        json!({"conditions": [{"type": "Ready", "status": "True"}]}),
    );
    story.waits(5001);
    // The Deployment's own time is over; the kubelet has a whole attempt after the operator's last movement.
    story.waits(5130);
    story.fails(5131, &CONFIGURATION_MISSING, &["db-app"]);
    // Nothing of the release could make it: the Deployment's 600 s, and a minute in which its controller does not say so.
    let missing = waiting(
        "CreateContainerConfigError",
        "secret \"db-app\" not found",
        0,
        json!({}),
    );
    let mut story = Story::new(&[app_target()], app_with(missing, json!({})));
    story.waits(1);
    story.waits(660);
    story.fails(661, &CONFIGURATION_MISSING, &["db-app"]);
}

#[test]
fn a_crash_loop_gets_another_attempt_after_what_it_may_have_waited_for() {
    let database = plain_target(TargetKind::StatefulSet, "db");
    let mut objects = app_with(crashed(5, 80, "2m40s"), json!({}));
    let starting = waiting("ContainerCreating", "", 0, json!({}));
    put(&mut objects.pods, "db-0", database_pod("r2", starting));
    let mut story = Story::new(&[database, app_target()], objects);
    story.waits(80);
    put(
        &mut story.objects.pods,
        "db-0",
        database_pod(
            "r2",
            json!({"ready": true, "state": {"running": {"startedAt": at(90).to_string()}}}),
        ),
    );
    story.waits(90);
    // The last attempt was before the database was there.
    story.waits(230);
    let waiting = waiting_of(story.status("app", 230), WaitClass::Blocked);
    assert_eq!(waiting.next_attempt, Some(at(240)));
    assert!(
        waiting.reason.contains("it is started again at 00:04:00 UTC"),
        "{}",
        waiting.reason
    );
    put_app(&mut story.objects, crashed(6, 240, "5m0s"), json!({}));
    story.fails(241, &CRASH_LOOP, &["has ended 7 times"]);
}

#[test]
fn one_failure_lets_the_others_end_and_names_them_all() {
    let invalid = waiting("InvalidImageName", "invalid reference format", 0, json!({}));
    let job = plain_target(TargetKind::Job, "load");
    let targets = [app_target(), custom("database"), job];
    let mut story = Story::new(&targets, app_with(invalid, json!({})));
    put_custom(
        &mut story.objects,
        "database",
        json!({"conditions": [{"type": "Ready", "status": "False", "message": "no disk"}]}),
    );
    put_job(&mut story.objects, "load", json!({"active": 1}));
    story.waits(3);
    story.waits(12);
    let failed = story.fails(13, &IMAGE_NAME_INVALID, &["invalid reference format"]);
    assert_eq!(failed.others.len(), 1);
    has(&failed.others[0], &NOT_READY, &["no disk"]);
    // Whoever wants to fail fast gets to know all causes, too.
    let mut story = Story::with_policy(&targets, story.objects, Policy { fail_fast: true });
    story.waits(3);
    story.fails(13, &IMAGE_NAME_INVALID, &["invalid reference format"]);
}
