//! The comparison, by objects that a cluster of Kubernetes 1.36 has given: live, and from dry runs of edited manifests.

mod prune;

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::*;
use crate::manifest::{Databases, parse};
use terminal::Styled;

macro_rules! recorded {
    ($name:literal) => {
        serde_json::from_str::<DynamicObject>(include_str!(concat!("../recorded/", $name, ".json"))).unwrap()
    };
}

fn value(value: Value) -> Option<VisibleValue> {
    Some(VisibleValue::Value(value))
}

/// The differences as `(path, before, after)`.
fn compared(live: &DynamicObject, after: &DynamicObject) -> Vec<(String, Option<VisibleValue>, Option<VisibleValue>)> {
    let found = differences(live, after, &["PASSWORD"]);
    let parts = |difference: Difference| (difference.path, difference.before, difference.after);
    found.into_iter().map(parts).collect()
}

#[test]
fn the_same_manifest_makes_no_difference() {
    let (live, after) = (recorded!("deployment"), recorded!("deployment-same"));
    assert_eq!(compared(&live, &after), []);
    assert!(same_ownership(&live, &after));
}

/// The manifest sets the port, adds a variable, moves a port, has other arguments, and neither `replicas` nor the sidecar
/// any longer. What the server fills in, such as the default of `replicas` or the protocol of a port, comes along.
#[test]
fn an_edit_shows_exactly_the_fields_of_the_manifest() {
    let (live, after) = (recorded!("deployment"), recorded!("deployment-edited"));
    let containers = "spec.template.spec.containers";
    let expected = [
        ("spec.replicas".to_owned(), value(json!(2)), value(json!(1))),
        (
            format!("{containers}[app].command[1]"),
            value(json!("infinity")),
            value(json!("1000")),
        ),
        (
            format!("{containers}[app].env[DATABASE_PORT].value"),
            value(json!("3306")),
            value(json!("3307")),
        ),
        (
            format!("{containers}[app].env[EXTRA]"),
            None,
            value(json!({"name": "EXTRA", "value": "1"})),
        ),
        (
            format!("{containers}[app].ports[8080/TCP].containerPort"),
            value(json!(8080)),
            None,
        ),
        (
            format!("{containers}[app].ports[8081/TCP].containerPort"),
            None,
            value(json!(8081)),
        ),
        (
            format!("{containers}[sidecar]"),
            value(
                json!({"command": ["sleep", "infinity"], "image": "docker.io/library/mariadb:11.8", "name": "sidecar"}),
            ),
            None,
        ),
    ];
    assert_eq!(compared(&live, &after), expected);
}

#[test]
fn what_is_new_is_shown_without_what_the_server_adds() {
    let (live, after) = (recorded!("deployment"), recorded!("deployment-more"));
    let found = compared(&live, &after);
    let paths: Vec<&str> = found.iter().map(|(path, ..)| path.as_str()).collect();
    assert_eq!(
        paths,
        [
            "spec.template.spec.affinity.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution",
            "spec.template.spec.initContainers"
        ]
    );
    let container = json!([{"command": ["sleep", "1"], "image": "docker.io/library/mariadb:11.8", "name": "wait"}]);
    assert_eq!(found[1].2, value(container));
}

#[test]
fn the_lines_of_a_file_that_differ() {
    let (live, after) = (recorded!("configmap"), recorded!("configmap-edited"));
    let plan = plan_of("ConfigMap", live, &after);
    assert_eq!(
        plain(&text(&plan)),
        "~ ConfigMap `files`\n    - data.gone: \"x\"\n    ~ data[\"nginx.conf\"]:\n          one\n          two\n        \
         - three\n        + THREE\n          four\n          five\nrelease shop/shop: 0 to create, 1 to change, 0 to prune, 0 kept"
    );
}

#[test]
fn nothing_of_a_secret_is_shown_but_its_length() {
    let (live, after) = (recorded!("secret"), recorded!("secret-edited"));
    let secret = |bytes| Some(VisibleValue::Secret { bytes });
    let expected = [
        ("data.PASSWORD".to_owned(), secret(12), Some(VisibleValue::Generated)),
        ("data.user".to_owned(), secret(6), secret(5)),
    ];
    assert_eq!(compared(&live, &after), expected);
    let plan = plan_of("Secret", live, &after);
    let shown = format!(
        "{}{}",
        plain(&text(&plan)),
        serde_json::to_string(&document(&plan)).unwrap()
    );
    assert!(shown.contains("(secret, 6 bytes)") && !shown.contains("b3"), "{shown}");
}

#[test]
fn a_secret_of_the_same_length_reads_as_changed() {
    let (live, after) = (recorded!("secret"), recorded!("secret-edited"));
    let mut plan = plan_of("Secret", live, &after);
    let secret = || Some(VisibleValue::Secret { bytes: 6 });
    plan.steps[0].differences = vec![Difference {
        path: "data.user".into(),
        before: secret(),
        after: secret(),
    }];
    let shown = plain(&text(&plan));
    assert!(
        shown.contains("~ data.user: (secret, 6 bytes) → (secret, 6 other bytes)"),
        "{shown}"
    );
}

#[test]
fn what_is_kept_is_a_number_and_a_note_of_many_is_told_once() {
    let live = recorded!("configmap");
    let mut plan = plan_of("ConfigMap", live.clone(), &live);
    let kept = plan.steps[0].clone();
    assert_eq!(kept.action, Action::Keep);
    plan.steps = vec![kept.clone(); 3];
    assert_eq!(
        plain(&text(&plan)),
        "nothing to do for release shop/shop: 0 to create, 0 to change, 0 to prune, 3 kept"
    );
    let unchecked = Step {
        action: Action::Create,
        notes: vec!["not checked by the server: its namespace is made first".into()],
        ..kept
    };
    plan.steps = vec![unchecked; 2];
    assert_eq!(
        plain(&text(&plan)),
        "+ ConfigMap `files`\n+ ConfigMap `files`\n(2 objects: not checked by the server: its namespace is made first)\n\
         release shop/shop: 2 to create, 0 to change, 0 to prune, 0 kept"
    );
}

/// Another manager has the key as well: it stays, and only the record changes.
#[test]
fn a_change_of_the_record_alone_is_a_change() {
    let (live, after) = (recorded!("configmap-shared"), recorded!("configmap-released"));
    assert_eq!(compared(&live, &after), []);
    let plan = plan_of("ConfigMap", live, &after);
    assert_eq!(plan.steps[0].action, Action::Change);
    let shown = plain(&text(&plan));
    assert!(shown.contains("only the record"), "{shown}");
}

#[test]
fn a_plan_for_programs() {
    let plan = plan_of("Deployment", recorded!("deployment"), &recorded!("deployment-same"));
    let expected = json!({
        "schema": "deploy-tool.dev/plan/v1", "release": "shop/shop", "empty": true,
        "counts": {"create": 0, "change": 0, "keep": 1, "prune": 0},
        "steps": [{"action": "keep", "wave": "workloads", "group": "apps", "version": "v1", "kind": "Deployment",
            "namespace": "plan-rec", "name": "app", "differences": [], "notes": []}],
    });
    assert_eq!(serde_json::to_value(document(&plan)).unwrap(), expected);
}

#[test]
fn every_field_for_programs_is_documented() {
    let documented = include_str!("../../../../../../docs/plan.md");
    let plan = plan_of("Secret", recorded!("secret"), &recorded!("secret-edited"));
    let mut names = BTreeSet::new();
    collect_names(&serde_json::to_value(document(&plan)).unwrap(), &mut names);
    for name in names {
        assert!(documented.contains(&name), "docs/plan.md does not have `{name}`");
    }
    assert!(documented.contains(SCHEMA));
}

fn collect_names(value: &Value, names: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                names.insert(name.clone());
                collect_names(value, names);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect_names(item, names)),
        _ => {}
    }
}

fn plan_of(kind: &str, live: DynamicObject, after: &DynamicObject) -> Plan {
    let (version, name) = match kind {
        "Deployment" => ("apps/v1", "app"),
        "Secret" => ("v1", "s"),
        _ => ("v1", "files"),
    };
    let text = format!(
        "apiVersion: {version}\nkind: {kind}\nmetadata: {{name: {name}, namespace: plan-rec, annotations: {{deploy-tool.dev/generate: PASSWORD}}}}\n"
    );
    let object = parse("m.yaml", &text).unwrap().remove(0);
    let mut step = tried_step(Databases::find(&[]).wave(&object), object, Some(live), after);
    if kind != "Deployment" {
        step.identity.namespace = Some("shop".into());
    }
    Plan {
        release: Name::new(Some("shop"), None, &[]).unwrap(),
        steps: vec![step],
        exact: false,
    }
}

/// Without colours.
fn plain(text: &Styled) -> String {
    text.render(false)
}
