//! Definitions that cannot be read, watched, or only at times.

use std::sync::atomic::{AtomicU32, Ordering};

use kube::Api;
use kube::api::{ApiResource, DynamicObject};
use kube::core::GroupVersionKind;
use releases::api::{crd_conditions, crd_wait};
use rollout::Target;
use serde_json::{Value, json};

use crate::ownership::{cluster_with, kind_of};
use crate::support::{cluster, objects, ok, status};

const DEFINITION: &str = "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\n\
    metadata: {name: widgets.example.com}\nspec: {group: example.com, scope: Namespaced, \
    names: {kind: Widget, plural: widgets}, versions: [{name: v1, served: true}]}\n";

fn definition(conditions: &Value) -> Value {
    json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": "widgets.example.com", "uid": "u"}, "status": {"conditions": conditions}})
}

/// Who may not watch may read, and a broken connection is no answer.
#[tokio::test(start_paused = true)]
async fn a_definition_that_cannot_be_watched_is_read_until_it_is_established() {
    let established = definition(&json!([{"type": "Established", "status": "True"}]));
    let forbidden = || status(403, "Forbidden", "not allowed");
    let cases = [
        (vec![ok(&established)], None),
        (vec![ok(&definition(&json!([]))), forbidden(), ok(&established)], None),
        (vec![ok(&definition(&json!([])))], Some("not within 30 s")),
        (vec![forbidden()], Some("not allowed")),
    ];
    for (answers, expected) in cases {
        let count = AtomicU32::new(0);
        let (cluster, ..) = cluster(move |asked| {
            if asked.url.contains("fieldSelector") {
                return status(403, "Forbidden", "no watch");
            }
            let index = count.fetch_add(1, Ordering::Relaxed) as usize;
            answers[index.min(answers.len() - 1)].clone()
        })
        .await;
        let kind = GroupVersionKind::gvk("apiextensions.k8s.io", "v1", "CustomResourceDefinition");
        let api: Api<DynamicObject> = Api::all_with(cluster.client.clone(), &ApiResource::from_gvk(&kind));
        let start = tokio::time::Instant::now();
        let ended = crd_wait::await_established(&api, &objects(DEFINITION)[0]).await;
        match (ended, expected) {
            (Ok(()), None) => {}
            (Err(failure), Some(part)) => {
                assert!(failure.to_string().contains(part), "{failure}");
                assert_eq!(start.elapsed().as_secs(), 30);
            }
            (ended, expected) => panic!("{expected:?}: {ended:?}"),
        }
    }
}

#[tokio::test]
async fn only_a_definition_that_is_hidden_counts_as_one_without_conditions() {
    let schema = |status: Value| {
        json!({"metadata": {"name": "widgets.example.com"}, "spec": {"versions": [{"name": "v1",
            "schema": {"openAPIV3Schema": {"properties": {"status": {"properties": status}}}}}]}})
    };
    for (answer, expected) in [
        (ok(&schema(json!({"conditions": {}}))), true),
        (ok(&schema(json!({}))), false),
        (status(403, "Forbidden", "not allowed"), false),
        (status(404, "NotFound", "not found"), false),
        (status(500, "InternalError", "etcd"), true),
        (status(503, "ServiceUnavailable", "busy"), true),
    ] {
        let group = (
            "example.com",
            "v1",
            json!([kind_of("example.com", "v1", "Widget", "Namespaced")]),
        );
        let shown = format!("{answer:?}");
        let (cluster, kinds, _) = cluster_with(&[group], move |_| answer.clone()).await;
        let widget =
            objects("apiVersion: example.com/v1\nkind: Widget\nmetadata: {name: w, namespace: shop, uid: u}\n");
        let mut targets = [Target::from_object(&widget[0].value).unwrap()];
        crd_conditions::read_declared_conditions(&cluster, &kinds, &mut targets).await;
        assert_eq!(targets[0].has_conditions, expected, "{shown}");
    }
}
