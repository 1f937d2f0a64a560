//! Objects that are deleted, by the release or beside it.

use super::*;

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
