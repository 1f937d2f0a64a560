//! Deployments, StatefulSets and what is replaced for them.

use super::*;
use diagnostics::code::rollout::*;

#[test]
fn generations_come_first_and_counts_last() {
    // Generation, observed generation, [all, updated, available], the new pod is ready, what is said.
    let cases = [
        (2, 2, [1, 1, 1], true, "done"),
        // The status still speaks of the generation before.
        (2, 1, [1, 1, 1], true, "has not seen the change"),
        // The copy is older than what was applied.
        (1, 1, [1, 1, 1], true, "has not seen the change"),
        (2, 2, [2, 1, 1], true, "1 of 1 ready; 1 of the old revision left"),
        (2, 2, [1, 0, 1], true, "0 of 1 ready"),
        (2, 2, [1, 1, 0], true, "0 of 1 ready"),
        // The controller has not yet counted that the pod is not ready any more.
        (2, 2, [1, 1, 1], false, "0 of 1 ready"),
    ];
    for (generation, observed, counts, ready, expected) in cases {
        let mut objects = world();
        put(
            &mut objects.deployments,
            "app",
            deployment(generation, observed, counts),
        );
        put(
            &mut objects.pods,
            "app-1",
            pod("app-1", "app-new", json!({"ready": ready, "state": {"running": {}}})),
        );
        let found = app(&objects, 20);
        match (&found.phase, expected) {
            (Phase::Done(_), "done") => {}
            _ => in_progress(found, expected),
        }
    }
}

/// The strategy `Recreate`.
#[test]
fn pods_that_have_to_end_first_are_told() {
    let mut objects = world();
    put(&mut objects.deployments, "app", deployment(2, 2, [0, 0, 0]));
    assert!(app(&objects, 20).sentence().ends_with("no pods yet"));
    let mut leaving = pod("app-1", "app-old", json!({"ready": true}));
    leaving["metadata"]["deletionTimestamp"] = json!(APPLIED);
    put(&mut objects.pods, "app-1", leaving);
    let sentence = app(&objects, 20).sentence();
    assert!(
        sentence.ends_with("no pods yet: one of the old revision is still terminating"),
        "{sentence}"
    );
}

#[test]
fn surplus_pods_have_to_be_gone() {
    let mut objects = world();
    put(&mut objects.deployments, "app", deployment(2, 2, [1, 1, 1]));
    let mut target = target(TargetKind::Deployment, "app");
    put(
        &mut objects.pods,
        "app-1",
        pod("app-1", "app-new", json!({"ready": true})),
    );
    done(evaluate(&target, &objects, clock(20)), "1 of 1 ready");
    // Its deletion may become known later than the Deployment's new count.
    put(
        &mut objects.pods,
        "app-2",
        pod("app-2", "app-old", json!({"ready": true})),
    );
    in_progress(evaluate(&target, &objects, clock(20)), "1 terminating");
    target.surplus_gone = false;
    done(evaluate(&target, &objects, clock(20)), "1 of 1 ready");
    target.surplus_gone = true;
    let mut evicted = pod("app-2", "app-old", json!({}));
    evicted["status"]["phase"] = json!("Failed");
    put(&mut objects.pods, "app-2", evicted.clone());
    done(evaluate(&target, &objects, clock(20)), "1 of 1 ready");
    evicted["metadata"]["deletionTimestamp"] = json!(APPLIED);
    put(&mut objects.pods, "app-2", evicted);
    in_progress(evaluate(&target, &objects, clock(20)), "1 terminating");
}

#[test]
fn the_database_comes_first() {
    let mut objects = world();
    put(
        &mut objects.pods,
        "app-1",
        pod(
            "app-1",
            "app-new",
            json!({"state": {"running": {"startedAt": APPLIED}}, "started": true}),
        ),
    );
    put(
        &mut objects.pods,
        "db-0",
        database_pod("r2", waiting("ContainerCreating", "", 0, json!({}))),
    );
    let (app, database) = (
        target(TargetKind::Deployment, "app"),
        target(TargetKind::StatefulSet, "db"),
    );
    in_progress(evaluate(&app, &objects, clock(300)), "waits for its database");
    put(
        &mut objects.pods,
        "db-0",
        database_pod("r2", waiting("CrashLoopBackOff", "", 2, ended(2, "Error"))),
    );
    clear(
        evaluate(&app, &objects, clock(20)),
        &CRASH_LOOP,
        &["the database of pod `app-1` is not ready", "`db-0`", "exit code 2"],
    );
    // One cause, told once, where it is.
    let mut tracker = Tracker::new(&[app, database], Policy { fail_fast: true });
    let (_, verdict) = tracker.observe(&objects, clock(20));
    let Verdict::Failed(failed) = verdict else {
        panic!("{verdict:?}")
    };
    assert_eq!(failed.others, []);
    has(&failed.first, &CRASH_LOOP, &["`db-0` has ended 3 times"]);
}

#[test]
fn a_stateful_set_counts_pods_of_its_revision_only() {
    let target = target(TargetKind::StatefulSet, "db");
    let ready = || json!({"ready": true, "state": {"running": {}}});
    done(evaluate(&target, &world(), clock(20)), "1 of 1 ready");
    let mut objects = world();
    put(&mut objects.pods, "db-0", database_pod("r1", ready()));
    in_progress(evaluate(&target, &objects, clock(5)), "0 of 1 ready");
    assert!(
        pods_to_replace(&target, &objects, clock(0).since).is_empty(),
        "a ready pod is the controller's to replace"
    );
}

#[test]
fn a_broken_pod_of_an_older_revision_is_replaced() {
    let target = target(TargetKind::StatefulSet, "db");
    let broken = || waiting("CrashLoopBackOff", "", 5, ended(1, "Error"));
    let mut objects = world();
    put(&mut objects.pods, "db-0", database_pod("r1", broken()));
    in_progress(
        evaluate(&target, &objects, clock(60)),
        "of the old revision and has to be replaced first",
    );
    assert_eq!(pods_to_replace(&target, &objects, clock(0).since).len(), 1);
    put(&mut objects.pods, "db-0", database_pod("r2", broken()));
    assert!(pods_to_replace(&target, &objects, clock(0).since).is_empty());
    clear(evaluate(&target, &objects, clock(60)), &CRASH_LOOP, &["`db-0`"]);
    // Starting is not broken.
    put(
        &mut objects.pods,
        "db-0",
        database_pod("r1", waiting("ContainerCreating", "", 0, json!({}))),
    );
    assert!(pods_to_replace(&target, &objects, clock(0).since).is_empty());
}

#[test]
fn pods_that_were_broken_before_are_replaced_once() {
    let target = target(TargetKind::Deployment, "app");
    let broken = || waiting("ImagePullBackOff", "not found", 0, json!({}));
    let mut objects = world();
    put(&mut objects.pods, "app-1", pod("app-1", "app-new", broken()));
    let replaced = |objects: &Objects, seconds| pods_to_replace(&target, objects, at(seconds)).len();
    assert_eq!(replaced(&objects, 10), 1, "created before anybody waited");
    assert_eq!(replaced(&objects, 0), 0, "created since");
    put(
        &mut objects.pods,
        "app-1",
        pod("app-1", "app-new", json!({"state": {"running": {}}, "restartCount": 9})),
    );
    assert_eq!(replaced(&objects, 10), 0, "it runs");
}
