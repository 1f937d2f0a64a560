//! Jobs that remove themselves when they have ended.

use serde_json::{Value, json};

use super::{Case, FAILED, job};

fn settings(value: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "beside"}, "data": {"value": value}})
}

/// How many pods the Jobs of that name have had.
fn runs(case: &Case, name: &str) -> usize {
    let selector = format!("reason=SuccessfulCreate,involvedObject.name={name}");
    let output = case.kubectl(&["get", "events", "--field-selector", &selector, "--output=name"]);
    output.success().stdout.lines().count()
}

/// A migration runs once for each manifest, and is gone while another Job is waited for.
#[test]
#[ignore = "needs a cluster, see main.rs"]
fn a_migration_runs_once() {
    let gone = |script: &str| job("migrate", json!({"ttlSecondsAfterFinished": 0}), script);
    let later = job("later", json!({}), "sleep 6");
    let case = Case::new("verdicts-ttl", &[settings("one"), gone("echo done"), later.clone()]);
    let output = case.run(&["apply", "--timeout", "3m"]).success();
    assert!(output.stderr.contains("Job `migrate`: complete"), "{}", output.stderr);
    assert_eq!(runs(&case, "migrate"), 1);
    // It has gone by its own time to live: that is no difference.
    case.kubectl(&["wait", "--for=delete", "job/migrate", "--timeout=60s"])
        .success();
    let output = case.run(&["plan", "--exit-code"]).success();
    assert!(
        output.stdout.contains("has completed in revision 1"),
        "{}",
        output.stdout
    );
    case.write(&[settings("two"), gone("echo done"), later.clone()]);
    case.run(&["apply"]).success();
    assert_eq!(runs(&case, "migrate"), 1, "only the ConfigMap has changed");
    // Another manifest is another migration. What is recorded is carried on from one revision to the next.
    case.write(&[settings("two"), gone("echo more"), later]);
    case.run(&["apply"]).success();
    assert_eq!(runs(&case, "migrate"), 2);
}

/// A migration has ended, and something else fails: the next run does not run it again.
#[test]
#[ignore = "needs a cluster, see main.rs"]
fn a_migration_of_a_revision_that_fails_does_not_run_again() {
    let gone = job("migrate", json!({"ttlSecondsAfterFinished": 0}), "echo done");
    let case = Case::new(
        "verdicts-half",
        &[gone.clone(), job("load", json!({}), "sleep 8; exit 4")],
    );
    case.run(&["apply"])
        .failure(FAILED, &["error DT0327:", "Job `load` has failed"]);
    assert_eq!(runs(&case, "migrate"), 1);
    case.write(&[gone, job("other", json!({}), "true")]);
    case.run(&["apply"]).success();
    assert_eq!(runs(&case, "migrate"), 1);
}
