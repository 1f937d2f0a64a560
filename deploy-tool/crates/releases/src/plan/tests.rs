//! The comparison, by objects that a cluster of Kubernetes 1.36 has given: live, and from dry runs of edited manifests.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::*;
use crate::manifest::{Databases, parse};
use terminal::Styled;

macro_rules! recorded {
    ($name:literal) => {
        serde_json::from_str::<DynamicObject>(include_str!(concat!("recorded/", $name, ".json"))).unwrap()
    };
}

fn value(value: Value) -> Option<Shown> {
    Some(Shown::Value(value))
}

/// The differences as `(path, before, after)`.
fn compared(live: &DynamicObject, after: &DynamicObject) -> Vec<(String, Option<Shown>, Option<Shown>)> {
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
    let secret = |bytes| Some(Shown::Secret { bytes });
    let expected = [
        ("data.PASSWORD".to_owned(), secret(12), Some(Shown::Generated)),
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
    let secret = || Some(Shown::Secret { bytes: 6 });
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
    let documented = include_str!("../../../../../docs/plan.md");
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

#[test]
fn only_what_is_the_releases_and_holds_no_data_is_pruned() {
    let release = Name::new(Some("shop"), None, &[]).unwrap();
    let object = |kind: &str, name: &str, manager: &str, annotations: Value| {
        let object: DynamicObject = serde_json::from_value(json!({"apiVersion": "v1", "kind": kind,
            "metadata": {"name": name, "namespace": "shop", "annotations": annotations,
                "managedFields": [{"manager": manager, "operation": "Apply"}]}}))
        .unwrap();
        let identity = Object {
            file: String::new(),
            line: 0,
            value: object.clone(),
        }
        .identity();
        (identity, object)
    };
    let live: Live = [
        object("ConfigMap", "ours", "deploy-tool", json!({})),
        object("ConfigMap", "foreign", "kubectl", json!({})),
        object(
            "ConfigMap",
            "given-away",
            "deploy-tool",
            json!({"deploy-tool.dev/release": "shop/other"}),
        ),
        object("PersistentVolumeClaim", "data", "deploy-tool", json!({})),
        object(
            "Secret",
            "password",
            "deploy-tool",
            json!({"deploy-tool.dev/generate": "A"}),
        ),
        object(
            "Service",
            "old",
            "deploy-tool",
            json!({"deploy-tool.dev/release": "shop/shop"}),
        ),
    ]
    .into();
    let mut dropped: Vec<Identity> = live.keys().cloned().collect();
    dropped.push(Identity {
        name: "absent".into(),
        ..dropped[0].clone()
    });
    let steps = prune_steps(&release, &dropped, &live);
    let steps: Vec<_> = steps
        .iter()
        .map(|step| (step.action, step.identity.name.as_str()))
        .collect();
    let expected = [
        (Action::Prune, "old"),
        (Action::Keep, "data"),
        (Action::Prune, "ours"),
        (Action::Keep, "password"),
    ];
    assert_eq!(steps, expected);
}

#[test]
fn what_is_being_deleted_is_made_again() {
    let text = "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: \
                {name: in-it, namespace: shop}\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: going, namespace: \
                other}\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: stays, namespace: other}\n";
    let objects = parse("m.yaml", text).unwrap();
    let wanted: BTreeSet<Identity> = objects.iter().map(Object::identity).collect();
    let mut live: Live = objects
        .iter()
        .map(|object| {
            let mut live = object.value.clone();
            if matches!(object.name(), "shop" | "going") {
                live.metadata.deletion_timestamp = Some(serde_json::from_value(json!("2026-01-01T00:00:00Z")).unwrap());
                live.metadata.finalizers = Some(vec!["example.org/hold".into()]);
            }
            (object.identity(), live)
        })
        .collect();
    // What the manifests have no longer is not made again.
    let foreign = Identity {
        name: "dropped".into(),
        ..objects[2].identity()
    };
    live.insert(foreign.clone(), live[&objects[2].identity()].clone());
    let leaving = take_terminating(&mut live, &wanted);
    let names = |live: &Live| live.keys().map(|identity| identity.name.clone()).collect::<Vec<_>>();
    assert_eq!(names(&leaving), ["going", "in-it", "shop"]);
    assert_eq!(names(&live), ["dropped", "stays"]);
    assert_eq!(
        created_namespaces(&objects, &live),
        ["shop".to_owned()].into(),
        "what goes into it cannot be tried"
    );
    let going = objects[2].clone();
    let object = leaving[&going.identity()].clone();
    let step = recreate_step(Databases::find(&[]).wave(&going), going, object);
    assert_eq!((step.action, step.before.is_none()), (Action::Create, true));
    assert_eq!(
        step.notes,
        ["is being deleted (held by example.org/hold): made again once it is gone"]
    );
    let plan = Plan {
        release: Name::new(Some("shop"), None, &[]).unwrap(),
        steps: vec![step],
        exact: false,
    };
    assert!(!plan.is_empty(), "there is something to do");
    assert_eq!(plan.terminating_objects().count(), 1);
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
