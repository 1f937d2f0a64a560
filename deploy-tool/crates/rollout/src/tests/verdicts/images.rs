//! Images and programs: what can still become right, and what cannot.

use super::super::story::*;
use super::super::*;
use diagnostics::code::rollout::*;

#[test]
fn what_is_no_image_name_never_is() {
    let invalid = waiting("InvalidImageName", "invalid reference format", 0, json!({}));
    let mut story = Story::new(&[app_target()], app_with(invalid, json!({})));
    story.fails(3, &IMAGE_NAME_INVALID, &["invalid reference format"]);
}

#[test]
fn an_image_may_still_be_pushed() {
    let missing = || waiting("ErrImagePull", "registry.example/app:1: not found", 0, json!({}));
    let mut story = Story::new(&[app_target()], app_with(missing(), json!({})));
    story.waits(15);
    clear(story.status("app", 15), &IMAGE_NOT_FOUND, &["not found"]);
    let mut story = Story::with_policy(
        &[app_target()],
        app_with(missing(), json!({})),
        Policy { fail_fast: true },
    );
    story.fails(15, &IMAGE_NOT_FOUND, &["not found"]);
}

#[test]
fn a_program_for_another_machine_twice() {
    let error = |restarts| {
        let mut ended = run(5, 5, 128);
        ended["terminated"]["reason"] = json!("StartError");
        ended["terminated"]["message"] = json!("exec /bin/app: exec format error");
        json!({"state": ended, "restartCount": restarts})
    };
    let policy = json!({"imagePullPolicy": "IfNotPresent"});
    let mut story = Story::new(&[app_target()], app_with(error(0), policy.clone()));
    story.waits(6);
    put_app(&mut story.objects, error(1), policy);
    assert!(matches!(story.verdict(7), Verdict::Failed(_)));
    // A tag that is pulled each time may be another image the next time.
    put_app(&mut story.objects, error(1), json!({"imagePullPolicy": "Always"}));
    story.waits(8);
    // What a volume holds may be another file.
    put_app(
        &mut story.objects,
        error(1),
        json!({"imagePullPolicy": "IfNotPresent", "volumeMounts": [{"name": "bin", "mountPath": "/bin"}]}),
    );
    story.waits(9);
}
