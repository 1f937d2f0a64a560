//! Revisions come, go back and stay ten; of two deployers one wins.

use std::process::Stdio;

use serde_json::json;

use super::{IMAGE, NO_IMAGE, Release, SLEEP, claim, deployed};
use crate::harness::CommandOutput;

#[test]
#[ignore = "needs a cluster, see main.rs"]
fn history_grows_prune_keeps_data_and_a_rollback_brings_everything_back() {
    let release = Release::new("release-history");
    release.write(IMAGE, &SLEEP, &[("kept", "one"), ("gone", "x")], &[claim("data")]);
    release.run(&["apply"]).success();
    release.run(&["apply"]).success();
    assert_eq!(release.history(), [deployed("apply")], "the second run writes nothing");

    // Without `gone` and the claim, with `new` and another command.
    release.write(IMAGE, &["sleep", "86400"], &[("kept", "two"), ("new", "y")], &[]);
    release.run(&["apply"]).success();
    assert!(!release.exists("configmap/gone"));
    assert!(release.exists("configmap/new") && release.exists("persistentvolumeclaim/data"));
    assert_eq!(release.object("configmap/kept")["data"]["value"], "two");

    release.run(&["rollback"]).success();
    assert_eq!(release.object("configmap/kept")["data"]["value"], "one");
    let web = release.object("deployment/web");
    assert_eq!(
        web["spec"]["template"]["spec"]["containers"][0]["command"],
        json!(SLEEP)
    );
    assert!(release.exists("configmap/gone") && !release.exists("configmap/new"));
    assert_eq!(
        release.history(),
        [deployed("apply"), deployed("apply"), deployed("rollback to 1")]
    );
    for number in 0..9 {
        release.write(IMAGE, &SLEEP, &[("kept", &number.to_string())], &[]);
        release.run(&["apply"]).success();
    }
    assert_eq!(release.history().len(), 10);
}

#[test]
#[ignore = "needs a cluster, see main.rs"]
fn what_does_not_come_up_is_taken_back() {
    let release = Release::new("release-failure");
    release.write(IMAGE, &SLEEP, &[("settings", "one")], &[]);
    release.run(&["apply"]).success();
    release.write(NO_IMAGE, &SLEEP, &[("settings", "two"), ("new", "x")], &[]);
    release
        .run(&["apply", "--rollback-on-failure", "--fail-fast"])
        .failure(2, &["error DT0304", "revision 1 runs again"]);
    let web = release.object("deployment/web");
    assert_eq!(web["spec"]["template"]["spec"]["containers"][0]["image"], IMAGE);
    assert_eq!(web["status"]["readyReplicas"], 1);
    assert_eq!(release.object("configmap/settings")["data"]["value"], "one");
    assert!(!release.exists("configmap/new"));
    let history = release.history();
    assert_eq!(history[0], deployed("apply"));
    assert_eq!(history[1].0, "failed");
    assert!(history[1].1.contains(NO_IMAGE), "{history:?}");
    assert_eq!(history[2], deployed("rollback to 1 after failure of 2"));
}

#[test]
#[ignore = "needs a cluster, see main.rs"]
fn two_deployers_at_once_leave_one_result() {
    let release = Release::new("release-two");
    release.write(IMAGE, &SLEEP, &[("settings", "one")], &[]);
    let other_cache = tempfile::tempdir().unwrap();
    let spawn = |cache| {
        let mut command = release.command(cache, &["apply"]);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    };
    let both = [spawn(&release.cache), spawn(&other_cache)]
        .map(|child| CommandOutput::from(child.wait_with_output().unwrap()));
    let codes = both.each_ref().map(|output| output.code);
    assert!(codes.contains(&0), "{}\n{}", both[0].stderr, both[1].stderr);
    for output in both {
        if output.code != 0 {
            output.failure(4, &["is locked by another deploy-tool"]);
        }
    }
    let before = release.history();
    assert!(
        before.iter().all(|revision| *revision == deployed("apply")),
        "{before:?}"
    );
    release.run(&["apply"]).success();
    assert_eq!(release.history(), before);
}
