//! Records as Kubernetes 1.36 keeps them.

use super::*;
use crate::manifest::parse;
use serde_json::json;

fn entry(manager: &str, operation: &str, fields: Value) -> Value {
    json!({"manager": manager, "operation": operation, "apiVersion": "v1", "fieldsType": "FieldsV1", "fieldsV1": fields})
}

/// A Pod as `kubectl apply` makes it, with the server's defaults among the fields of kubectl.
fn pod(entries: &[Value]) -> DynamicObject {
    let container = |name: &str| json!({"name": name, "image": "i:1", "imagePullPolicy": "IfNotPresent"});
    serde_json::from_value(json!({"apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": "a", "namespace": "shop", "uid": "u", "resourceVersion": "7",
            "labels": {"app": "a", "legacy": "x"}, "managedFields": entries,
            "annotations": {"kubectl.kubernetes.io/last-applied-configuration": "{}", "deploy-tool.dev/release": "shop/shop"}},
        "spec": {"containers": [container("main"), container("old")], "restartPolicy": "Always"},
        "status": {"phase": "Running"}}))
    .unwrap()
}

fn kubectl_fields() -> Value {
    let container = json!({".": {}, "f:name": {}, "f:image": {}, "f:imagePullPolicy": {}});
    json!({"f:metadata": {"f:labels": {".": {}, "f:app": {}, "f:legacy": {}},
            "f:annotations": {".": {}, LAST_APPLIED: {}}},
        "f:spec": {"f:containers": {r#"k:{"name":"main"}"#: container, r#"k:{"name":"old"}"#: container},
            "f:restartPolicy": {}}})
}

fn our_fields() -> Value {
    json!({"f:metadata": {"f:labels": {"f:app": {}}, "f:annotations": {"f:deploy-tool.dev/release": {}}},
        "f:spec": {"f:containers": {r#"k:{"name":"main"}"#: {".": {}, "f:name": {}, "f:image": {}}}}})
}

fn manifest() -> Object {
    let text = "apiVersion: v1\nkind: Pod\nmetadata: {name: a, labels: {app: a}}\nspec: {containers: [{name: main, image: 'i:1'}]}\n";
    parse("m.yaml", text).unwrap().remove(0)
}

/// The record, whether fields are taken over, whose then are ours, and whose remain.
type Case<'a> = (&'a [Value], bool, &'a [&'a str], &'a [&'a str]);

#[test]
fn whose_fields_become_ours_depends_on_who_had_them_first() {
    let (kubectl, helm) = (
        entry(KUBECTL_APPLY, "Update", kubectl_fields()),
        entry("helm", "Update", json!({"f:spec": {"f:nodeName": {}}})),
    );
    let own = entry(FIELD_MANAGER, "Apply", our_fields());
    let mut older = kubectl.clone();
    older["apiVersion"] = json!("v1beta1");
    let mut scaled = entry("kubectl", "Update", json!({"f:spec": {"f:replicas": {}}}));
    scaled["subresource"] = json!("scale");
    let cases: [Case<'_>; 6] = [
        // The first apply, and later ones.
        (&[kubectl.clone(), helm.clone()], false, &[KUBECTL_APPLY], &["helm"]),
        (&[kubectl.clone(), own.clone()], false, &[], &[KUBECTL_APPLY]),
        (
            &[kubectl.clone(), helm, own.clone()],
            true,
            &[KUBECTL_APPLY, "helm"],
            &[],
        ),
        // Of another version, of a subresource, of what is no tool with manifests.
        (&[older], true, &[], &[KUBECTL_APPLY]),
        (&[scaled], true, &[], &[]),
        (
            &[entry("kubectl-edit", "Update", kubectl_fields()), own],
            true,
            &[],
            &[],
        ),
    ];
    for (entries, take_over, migrated, remaining) in cases {
        let live = pod(entries);
        let found = migrated_managers(&manifest(), &live, take_over);
        assert_eq!(
            (found.as_slice(), remaining_managers(&live, &found).as_slice()),
            (
                migrated
                    .iter()
                    .map(|name| (*name).to_owned())
                    .collect::<Vec<_>>()
                    .as_slice(),
                remaining
                    .iter()
                    .map(|name| (*name).to_owned())
                    .collect::<Vec<_>>()
                    .as_slice()
            )
        );
    }
}

#[test]
fn what_only_the_other_tool_has_set_is_found_and_taken_out() {
    let managers = [KUBECTL_APPLY.to_owned()];
    let entries = [
        entry(KUBECTL_APPLY, "Update", kubectl_fields()),
        entry(FIELD_MANAGER, "Apply", our_fields()),
    ];
    let after = pod(&entries);
    let fields = leftover_fields(&after, &managers, &[]);
    let paths: Vec<String> = fields.iter().map(|path| display_path(path)).collect();
    assert_eq!(
        paths,
        [
            "metadata.annotations[\"kubectl.kubernetes.io/last-applied-configuration\"]",
            "metadata.labels.legacy",
            "spec.containers[main].imagePullPolicy",
            "spec.containers[old]",
            "spec.restartPolicy",
        ]
    );
    let patch = removal_patch(&after, &after, &fields);
    assert_eq!(
        patch,
        json!({"metadata": {"annotations": {"kubectl.kubernetes.io/last-applied-configuration": null}, "labels": {"legacy": null}},
            "spec": {"containers": [{"name": "main", "image": "i:1"}], "restartPolicy": null}})
    );
    // The server puts its defaults back, and nothing of that is told.
    let mut trial = serde_json::to_value(&after).unwrap();
    trial["metadata"]["labels"] = json!({"app": "a"});
    trial["spec"]["containers"].as_array_mut().unwrap().pop();
    let trial = serde_json::from_value(trial).unwrap();
    let gone: Vec<_> = removal_differences(&after, &trial, &fields)
        .into_iter()
        .map(|difference| (difference.path, difference.after))
        .collect();
    assert_eq!(
        gone,
        [
            ("metadata.labels.legacy".to_owned(), None),
            ("spec.containers[old]".to_owned(), None)
        ]
    );
    // A third one that has it keeps it.
    let third = entry("vpa", "Apply", json!({"f:metadata": {"f:labels": {"f:legacy": {}}}}));
    let after = pod(&[entries[0].clone(), entries[1].clone(), third]);
    assert_eq!(leftover_fields(&after, &managers, &[]).len(), 4);
    assert!(leftover_fields(&after, &["helm".to_owned()], &[]).is_empty());
    // Of a Namespace that is nothing but its name there is no record of ours; its metadata are not kubectl's.
    let after = pod(&[entry(
        KUBECTL_APPLY,
        "Update",
        json!({"f:metadata": {"f:annotations": {".": {}, LAST_APPLIED: {}}}}),
    )]);
    assert_eq!(
        leftover_fields(&after, &managers, &[]),
        [["f:metadata", "f:annotations"].map(str::to_owned).to_vec()]
    );
}

#[test]
fn of_a_secret_nothing_is_shown() {
    let mut live = serde_json::to_value(pod(&[])).unwrap();
    live["kind"] = json!("Secret");
    live["data"] = json!({"old": "aGVsbG8="});
    let live: DynamicObject = serde_json::from_value(live).unwrap();
    let path = |branches: [&str; 2]| branches.map(str::to_owned).to_vec();
    let gone = removal_differences(&live, &pod(&[]), &[path(["f:data", "f:old"])]);
    assert_eq!(gone[0].before, Some(VisibleValue::Secret { bytes: 5 }));
    // Nor the manifest, which has the values as well.
    let mut trial = live.clone();
    trial.metadata.annotations = None;
    let annotations = [path(["f:metadata", "f:annotations"])];
    let gone = removal_differences(&live, &trial, &annotations);
    assert_eq!(
        gone[0].before,
        Some(VisibleValue::Value(json!({"deploy-tool.dev/release": "shop/shop"})))
    );
    let mut live = live;
    live.metadata.annotations.as_mut().unwrap().pop_first();
    assert!(removal_differences(&live, &trial, &annotations).is_empty());
}

#[test]
fn the_record_has_all_fields_as_ours_afterwards() {
    let managers = [KUBECTL_APPLY.to_owned()];
    let status = entry("kubelet", "Update", json!({"f:status": {}}));
    let kubectl = entry(KUBECTL_APPLY, "Update", kubectl_fields());
    let merged = |entries: &[Value]| {
        let found = migrated_entries(&pod(entries), &managers)?;
        Some(serde_json::to_value(found).unwrap())
    };
    let found = merged(&[
        kubectl.clone(),
        status.clone(),
        entry(FIELD_MANAGER, "Apply", our_fields()),
    ])
    .unwrap();
    let mut united = kubectl_fields();
    united["f:metadata"]["f:annotations"]["f:deploy-tool.dev/release"] = json!({});
    assert_eq!(found, json!([status, entry(FIELD_MANAGER, "Apply", united)]));
    // An object without any field of ours, such as a Namespace that is nothing but its name.
    assert_eq!(
        merged(&[kubectl]).unwrap(),
        json!([entry(FIELD_MANAGER, "Apply", kubectl_fields())])
    );
    assert_eq!(merged(&[status]), None);
}

#[test]
fn two_records_are_united() {
    for (left, right, both) in [
        (json!({}), json!({}), json!({})),
        (json!({}), json!({"f:a": {}}), json!({".": {}, "f:a": {}})),
        (
            json!({"f:a": {}}),
            json!({"f:b": {"f:c": {}}}),
            json!({"f:a": {}, "f:b": {"f:c": {}}}),
        ),
        (
            json!({"f:a": {"f:b": {}}}),
            json!({"f:a": {}}),
            json!({"f:a": {".": {}, "f:b": {}}}),
        ),
    ] {
        assert_eq!(unite_trees(left.clone(), right.clone()), both);
        assert_eq!(unite_trees(right, left), both);
    }
}
