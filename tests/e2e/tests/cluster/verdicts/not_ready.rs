//! What does not stay up is not ready; what is not decided is neither.

use std::time::Duration;

use serde_json::json;

use super::{Case, FAILED, UNDECIDED, deployment, shell};

/// A crash loop in a release where nothing else is unfinished is decided after two minutes; a busy machine has its time.
const ABOUT_TWO_MINUTES: (Duration, Duration) = (Duration::from_secs(100), Duration::from_secs(240));

#[test]
#[ignore = "needs a cluster, see main.rs"]
fn a_container_without_a_probe_that_ends_is_not_ready() {
    let case = Case::new(
        "verdicts-exits",
        &[deployment(
            "exits",
            1,
            shell("sleep 3; echo no settings; exit 1"),
            json!([]),
        )],
    );
    let (output, took) = case.timed(&["apply"]);
    let output = output.failure(FAILED, &["error DT0312:", "last with exit code 1", "| no settings"]);
    assert!(!output.stderr.contains("ready: Deployment"), "{}", output.stderr);
    let (least, most) = ABOUT_TWO_MINUTES;
    assert!(least < took && took < most, "after {} s", took.as_secs());
    // Whoever wants to know early does.
    let (output, took) = case.timed(&["apply", "--fail-fast"]);
    output.failure(FAILED, &["error DT0312:", "| no settings"]);
    assert!(took < least, "after {} s", took.as_secs());
}

/// The Deployment's own deadline is over, and nothing is on its way.
#[test]
#[ignore = "needs a cluster, see main.rs"]
fn a_deadline_decides_what_only_waits() {
    let probe = json!({"readinessProbe": {"periodSeconds": 1, "exec": {"command": ["false"]}}});
    let mut late = deployment("late", 1, probe, json!([]));
    late["spec"]["progressDeadlineSeconds"] = json!(20);
    let case = Case::new("verdicts-deadline", &[late]);
    let (output, took) = case.timed(&["apply"]);
    output.failure(FAILED, &["error DT0318:", "is not ready"]);
    assert!(took > Duration::from_secs(15), "after {} s", took.as_secs());
}

/// The time is over, and nothing is decided: not a failure, and nothing is undone.
#[test]
#[ignore = "needs a cluster, see main.rs"]
fn a_time_limit_is_an_outcome_of_its_own() {
    let case = Case::new("verdicts-limit", &[deployment("web", 1, json!({}), json!([]))]);
    case.run(&["apply"]).success();
    let needs = json!({"env": [{"name": "A", "valueFrom": {"secretKeyRef": {"name": "nope", "key": "k"}}}]});
    let needs = |name: &str| deployment(name, 1, needs.clone(), json!([]));
    case.write(&[needs("web"), needs("other")]);
    let output = case.run(&["apply", "--timeout", "20s", "--rollback-on-failure"]);
    // Each object with its reason.
    let parts = [
        "error DT0330:",
        "| DT0315 Deployment `web`: ",
        "| DT0315 Deployment `other`: ",
        "Secret `nope`",
    ];
    let output = output.failure(UNDECIDED, &parts);
    assert!(!output.stderr.contains("runs again"), "{}", output.stderr);
    let containers = case.kubectl(&[
        "get",
        "deployment",
        "web",
        "--output=jsonpath={.spec.template.spec.containers[0].env}",
    ]);
    assert!(
        containers.success().stdout.contains("nope"),
        "it has not been rolled back"
    );
    let status = case.run(&["status"]).success().stdout;
    assert!(
        status.contains("revision 2, `apply`, is undecided: not ready within 20 s"),
        "{status}"
    );
    // The same command again goes on from there.
    case.kubectl(&["create", "secret", "generic", "nope", "--from-literal=k=v"])
        .success();
    case.run(&["apply"]).success();
}

#[test]
#[ignore = "needs a cluster, see main.rs"]
fn paused_is_never_ready() {
    let mut held = deployment("held", 1, json!({}), json!([]));
    held["spec"]["paused"] = json!(true);
    let case = Case::new("verdicts-paused", &[held]);
    case.run(&["apply"])
        .failure(FAILED, &["error DT0332:", "is paused by its own manifest"]);
    // Somebody else has paused it, and gets to know how it goes on.
    case.write(&[deployment("held", 1, json!({}), json!([]))]);
    case.run(&["apply"]).success();
    case.kubectl(&["rollout", "pause", "deployment/held"]).success();
    case.write(&[deployment("held", 1, json!({"command": ["sleep", "99999"]}), json!([]))]);
    let resume = "rollout resume deployment/held";
    case.run(&["apply", "--timeout", "15s"])
        .failure(UNDECIDED, &["DT0332", resume]);
    case.kubectl(&["rollout", "resume", "deployment/held"]).success();
    case.run(&["apply"]).success();
}
