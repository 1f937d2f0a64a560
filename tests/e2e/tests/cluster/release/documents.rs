//! What real runs print for programs is what docs/schema says.

#[path = "../../../../../deploy-tool/tests/schema/check.rs"]
mod check;

use serde_json::{Value, json};

use super::{IMAGE, NO_IMAGE, Release, SLEEP};
use crate::harness::repository;

/// A document has the form that docs/schema describes.
#[track_caller]
pub fn assert_follows(schema: &str, document: &Value) {
    let path = repository().join("docs/schema").join(format!("{schema}.json"));
    let schema: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    assert_eq!(check::faults(&schema, document), [""; 0], "{document:#}");
}

/// The events of a run, and how it ended.
#[track_caller]
fn events(release: &Release, verb: &[&str], code: i32) -> Vec<Value> {
    let output = release.run(&[verb, &["--output", "json"]].concat());
    assert_eq!(output.code, code, "{}", output.stderr);
    let events: Vec<Value> = output
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    events.iter().for_each(|event| assert_follows("event", event));
    events
}

/// What was done to which object.
fn written(events: &[Value]) -> Vec<String> {
    let written = events.iter().filter(|event| event["type"] == "written");
    let text = |event: &Value, field: &str| event[field].as_str().unwrap().to_owned();
    let mut all: Vec<String> = written
        .map(|event| [text(event, "action"), text(event, "kind"), text(event, "name")].join(" "))
        .collect();
    all.sort();
    all
}

#[test]
#[ignore = "needs a cluster, see main.rs"]
fn what_is_printed_for_programs_follows_the_schemas() {
    let release = Release::new("release-documents");
    let document = |verb: &[&str]| -> Value {
        let output = release.run(&[verb, &["--output", "json"]].concat()).success();
        serde_json::from_str(&output.stdout).unwrap()
    };
    let secret = |value: &str| json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "secret"}, "stringData": {"key": value}});
    release.write(IMAGE, &SLEEP, &[("kept", "one"), ("gone", "x")], &[secret("a")]);
    let first = events(&release, &["apply"], 0);
    assert_eq!(
        written(&first),
        [
            "created ConfigMap gone",
            "created ConfigMap kept",
            "created Deployment web",
            &*format!("created Namespace {}", release.namespace.name),
            "created Secret secret"
        ]
    );
    let status = &first.last().unwrap()["data"];
    assert_follows("status", status);
    assert_eq!(written(&events(&release, &["apply"], 0)), [""; 0]);

    release.write(IMAGE, &SLEEP, &[("kept", "two"), ("new", "y")], &[secret("b")]);
    let plan = document(&["plan"]);
    assert_follows("plan", &plan);
    assert_eq!(plan["counts"], json!({"create": 1, "change": 2, "keep": 2, "prune": 1}));
    assert_eq!(
        written(&events(&release, &["apply"], 0)),
        [
            "changed ConfigMap kept",
            "changed Secret secret",
            "created ConfigMap new",
            "deleted ConfigMap gone"
        ]
    );

    release.write(NO_IMAGE, &SLEEP, &[("kept", "two"), ("new", "y")], &[secret("b")]);
    let failed = events(&release, &["apply", "--fail-fast"], 2);
    assert_eq!(failed.last().unwrap()["type"], "failure");
    let status = document(&["status"]);
    assert_follows("status", &status);
    let of_release = &status["release"];
    assert_eq!(
        [
            &of_release["deployed"]["revision"],
            &of_release["unfinished"]["revision"]
        ],
        [2, 3]
    );
    assert_eq!(of_release["unfinished"]["state"], "failed");
    let text = release.run(&["status"]).success().stdout;
    assert!(
        text.contains("revision 2, `apply`") && text.contains("revision 3, `apply`, has failed"),
        "{text}"
    );
    assert_follows("history", &document(&["history"]));
    let down = events(&release, &["down", "--delete-data"], 0);
    assert!(
        written(&down).contains(&format!("deleted Namespace {}", release.namespace.name)),
        "{down:#?}"
    );
}
