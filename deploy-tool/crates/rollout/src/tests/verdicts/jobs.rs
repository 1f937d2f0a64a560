//! Jobs that remove themselves.

use super::super::story::*;
use super::super::*;
use diagnostics::code::rollout::*;

fn short_lived() -> Target {
    Target {
        uid: Some("migrate".into()),
        removes_itself: true,
        ..plain_target(TargetKind::Job, "migrate")
    }
}

#[test]
fn a_job_that_its_ttl_took_away() {
    let mut story = Story::new(&[short_lived()], Objects::default());
    put_job(&mut story.objects, "migrate", json!({"active": 1}));
    story.waits(1);
    put_job(
        &mut story.objects,
        "migrate",
        json!({"succeeded": 1, "conditions": [{"type": "Complete", "status": "True"}]}),
    );
    let job = story.objects.jobs.remove("n/migrate").unwrap();
    job.retain_after_deletion("n/migrate", &mut story.objects, true);
    story.is_ready(7);
    // It has gone before anybody looked: its event tells.
    let mut story = Story::new(&[short_lived()], Objects::default());
    event(&mut story.objects, "migrate", "Completed", "Job completed", 2, 1);
    story.is_ready(7);
    let mut story = Story::new(&[short_lived()], Objects::default());
    event(
        &mut story.objects,
        "migrate",
        "BackoffLimitExceeded",
        "Job has reached the specified backoff limit",
        2,
        1,
    );
    story.fails(7, &JOB_FAILED, &["backoff limit"]);
    // A list in which it is missing says nothing of how it ended.
    let mut story = Story::new(&[short_lived()], Objects::default());
    put_job(&mut story.objects, "migrate", json!({"active": 1}));
    story.waits(1);
    let job = story.objects.jobs.remove("n/migrate").unwrap();
    job.retain_after_deletion("n/migrate", &mut story.objects, false);
    story.waits(2);
    assert_eq!(story.verdict(12), Verdict::Unknown);
    // Nobody has seen it, and nothing tells; the event may be a moment late.
    let mut story = Story::new(&[short_lived(), app_target()], app_with(ready_since(0), json!({})));
    story.waits(7);
    story.waits(20);
    assert_eq!(story.verdict(30), Verdict::Unknown);
}

#[test]
fn a_job_that_came_back_gets_its_time_again() {
    let mut story = Story::new(&[short_lived()], Objects::default());
    story.waits(1);
    story.waits(9);
    put_job(&mut story.objects, "migrate", json!({"active": 1}));
    story.waits(10);
    let job = story.objects.jobs.remove("n/migrate").unwrap();
    job.retain_after_deletion("n/migrate", &mut story.objects, false);
    story.waits(30);
    story.waits(39);
    assert_eq!(story.verdict(40), Verdict::Unknown);
}

#[test]
fn a_job_that_is_removed_before_it_ended() {
    let mut story = Story::new(&[short_lived()], Objects::default());
    put_job(&mut story.objects, "migrate", json!({"active": 1}));
    story.waits(1);
    let job = story.objects.jobs.remove("n/migrate").unwrap();
    job.retain_after_deletion("n/migrate", &mut story.objects, true);
    story.fails(2, &GONE, &["removed before it ended"]);
}
