//! Whose objects and fields are whose: shared ones, other versions, other tools with manifests.

use std::collections::BTreeSet;

use cluster::Cluster;
use kube::core::GroupVersionKind;
use releases::api::apply::apply_wave;
use releases::api::discover::Kinds;
use releases::api::unmanaged;
use releases::manifest::{Object, Wave};
use releases::plan::Action;
use releases::release::{Identity, Name, claim_annotation};
use serde_json::{Value, json};
use terminal::Progress;

use crate::mock::{self, Asked, Log};
use crate::support::*;

pub fn kind_of(group: &str, version: &str, kind: &str, scope: &str) -> Value {
    json!({"resource": format!("{}s", kind.to_lowercase()), "scope": scope, "singularResource": "",
        "verbs": ["get", "list", "delete"], "responseKind": {"group": group, "version": version, "kind": kind}})
}

/// Groups beside the core one, as discovery gives them: name, version and kinds of each.
pub async fn cluster_with(
    groups: &[(&str, &str, Value)],
    answer: impl Fn(&Asked) -> (u16, String) + Send + 'static,
) -> (Cluster, Kinds, Log) {
    let groups: Vec<Value> = groups
        .iter()
        .map(|(name, version, kinds)| {
            json!({"metadata": {"name": name}, "versions": [{"version": version, "freshness": "Current", "resources": kinds}]})
        })
        .collect();
    let groups = json!({"kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "metadata": {}, "items": groups});
    let (cluster, log) = mock::cluster(move |asked| match asked.url.as_str() {
        "/apis" => ok(&groups),
        url => discovery(url).map_or_else(|| answer(asked), |kinds| ok(&kinds)),
    });
    let kinds = Kinds::discover(&cluster).await.unwrap();
    (cluster, kinds, log)
}

fn shared_role(claims: &[&str]) -> Value {
    let name = |release: &&str| Name::new(Some(release), None, &[]).unwrap();
    let annotations: Value = claims
        .iter()
        .map(|release| (claim_annotation(&name(release)), json!("true")))
        .collect();
    json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "rules": [],
        "metadata": {"name": "r", "uid": "u", "resourceVersion": "7", "annotations": annotations,
            "managedFields": [{"manager": "deploy-tool", "operation": "Apply", "apiVersion": "rbac.authorization.k8s.io/v1",
                "fieldsType": "FieldsV1", "fieldsV1": {"f:rules": {}}}]}})
}

fn rbac() -> (&'static str, &'static str, Value) {
    let group = "rbac.authorization.k8s.io";
    (group, "v1", json!([kind_of(group, "v1", "ClusterRole", "Cluster")]))
}

fn role() -> Vec<Object> {
    objects("apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: r}\nrules: []\n")
}

/// The object is another release's already, the same in every field.
#[tokio::test]
async fn what_belongs_to_the_whole_cluster_says_which_releases_have_it() {
    let (cluster, mut kinds, log) = cluster_with(&[rbac()], |_| ok(&shared_role(&["bank"]))).await;
    let plan = planned(&cluster, &mut kinds, role(), &[].into(), false).await.unwrap();
    assert_eq!(plan.steps[0].action, Action::Change);
    assert!(
        plan.steps[0].notes[0].contains("release shop/shop has it"),
        "{:?}",
        plan.steps[0].notes
    );
    apply_wave(&cluster, &mut kinds, &plan, Wave::Access, &Progress::default())
        .await
        .unwrap();
    let writes = log.writes();
    assert_eq!(writes.len(), 2);
    // Its own field manager: the annotation of the other release stays whatever this one applies.
    assert!(
        writes[1].url.contains("fieldManager=deploy-tool%2Fshop%2Fshop"),
        "{}",
        writes[1].url
    );
    let metadata = &writes[1].body["metadata"];
    assert_eq!(
        metadata["annotations"],
        json!({"shop.shop.release.deploy-tool.dev/claimed": "true"})
    );
    assert_eq!(
        metadata["uid"], "u",
        "what somebody has deleted in between is not made again"
    );

    let (cluster, mut kinds, _) = cluster_with(&[rbac()], |_| ok(&shared_role(&["bank", "shop"]))).await;
    let plan = planned(&cluster, &mut kinds, role(), &[].into(), false).await.unwrap();
    assert!(plan.is_empty());
}

/// Nobody's records are read but those of the release that has it, and of those only whether there are any.
#[tokio::test]
async fn what_another_release_has_is_left_while_that_release_is_there() {
    let inventory: BTreeSet<Identity> = role().iter().map(Object::identity).collect();
    let none = json!({"kind": "List", "apiVersion": "v1", "metadata": {}, "items": []});
    let mut living = none.clone();
    living["items"] = json!([{"metadata": {"name": "deploy-tool.bank.1"}}]);
    let cases = [
        (&["shop"][..], 200, ok(&living), Action::Prune),
        (&["shop", "bank"], 200, ok(&living), Action::Keep),
        (&["shop", "bank"], 200, ok(&none), Action::Prune),
        (&["shop", "bank"], 404, ok(&living), Action::Prune),
        (&["shop", "bank"], 200, status(403, "Forbidden", "no"), Action::Keep),
    ];
    for (claims, namespace, records, expected) in cases {
        let (cluster, mut kinds, log) =
            cluster_with(&[rbac()], move |asked| match asked.url.split('?').next().unwrap() {
                "/api/v1/namespaces/bank" if namespace == 404 => status(404, "NotFound", "not found"),
                "/api/v1/namespaces/bank" => ok(&json!({"metadata": {"name": "bank"}})),
                "/api/v1/namespaces/bank/secrets" => records.clone(),
                _ => ok(&shared_role(claims)),
            })
            .await;
        let plan = planned(&cluster, &mut kinds, Vec::new(), &inventory, false)
            .await
            .unwrap();
        let step = &plan.steps[0];
        assert_eq!(
            (step.action, step.given_up),
            (expected, expected == Action::Keep),
            "{claims:?} {namespace}"
        );
        let urls: Vec<String> = log.all().into_iter().map(|asked| asked.url).collect();
        assert!(!urls.iter().any(|url| url.starts_with("/api/v1/secrets")), "{urls:?}");
    }
}

#[tokio::test]
async fn an_object_is_found_through_the_version_that_is_served() {
    let widget = |version: &str, name: &str| {
        format!("apiVersion: example.com/{version}\nkind: Widget\nmetadata: {{name: {name}, namespace: shop}}\n---\n")
    };
    let definition = "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: widgets.example.com}\n\
        spec: {group: example.com, scope: Namespaced, names: {kind: Widget, plural: widgets}, versions: [\
        {name: v1, served: true}, {name: v1alpha1, served: false}]}\n---\n";
    let live = |name: &str| {
        let mut widget = stored(name, "value");
        (widget["apiVersion"], widget["kind"]) = (json!("example.com/v1alpha1"), json!("Widget"));
        widget
    };
    let crd = "apiextensions.k8s.io";
    let groups = [
        (
            crd,
            "v1",
            json!([kind_of(crd, "v1", "CustomResourceDefinition", "Cluster")]),
        ),
        (
            "example.com",
            "v1alpha1",
            json!([kind_of("example.com", "v1alpha1", "Widget", "Namespaced")]),
        ),
    ];
    let (cluster, mut kinds, log) = cluster_with(&groups, move |asked| {
        let path = asked.url.split('?').next().unwrap();
        match (asked.method.as_str(), path) {
            ("GET", "/apis/example.com/v1alpha1/namespaces/shop/widgets/dropped") => ok(&live("dropped")),
            ("GET", "/apis/example.com/v1alpha1/namespaces/shop/widgets/stays") => ok(&live("stays")),
            ("GET", _) if asked.url.contains("fieldSelector") => ok(&json!({"kind": "List", "apiVersion": "v1",
                "metadata": {"resourceVersion": "3"}, "items": [{"apiVersion": "apiextensions.k8s.io/v1",
                    "kind": "CustomResourceDefinition", "metadata": {"name": "widgets.example.com", "uid": "u"},
                    "status": {"conditions": [{"type": "Established", "status": "True"}]}}]})),
            ("GET", _) => status(404, "NotFound", "not found"),
            _ => ok(&asked.body),
        }
    })
    .await;
    let before = objects(&(widget("v1alpha1", "dropped") + &widget("v1alpha1", "stays")));
    let inventory: BTreeSet<Identity> = before.iter().map(Object::identity).collect();
    let wanted = objects(&(definition.to_owned() + &widget("v1", "stays")));
    let plan = planned(&cluster, &mut kinds, wanted, &inventory, false).await.unwrap();
    let steps: Vec<_> = plan
        .steps
        .iter()
        .map(|step| (step.action, step.identity.name.as_str()))
        .collect();
    assert_eq!(
        steps,
        [
            (Action::Create, "widgets.example.com"),
            (Action::Change, "stays"),
            (Action::Prune, "dropped")
        ]
    );
    assert!(log.writes().is_empty());

    // By then the cluster serves what the definition says.
    let dropped = GroupVersionKind::gvk("example.com", "v1alpha1", "Widget");
    assert_eq!(kinds.find_served(&dropped).unwrap().resource.version, "v1alpha1");
    apply_wave(&cluster, &mut kinds, &plan, Wave::Definitions, &Progress::default())
        .await
        .unwrap();
    assert_eq!(kinds.find_served(&dropped).unwrap().resource.version, "v1");
}

/// What the server behind an APIService has is neither there nor gone: nothing of it is forgotten or deleted.
#[tokio::test]
async fn of_a_group_that_does_not_answer_nothing_is_assumed() {
    let services = std::sync::Arc::new(std::sync::Mutex::new(vec![
        json!({"spec": {"group": "metrics.example.com"}}),
    ]));
    let registered = services.clone();
    let answer = move |asked: &Asked| {
        if asked.url.contains("/apiservices") {
            list(&registered.lock().unwrap())
        } else {
            status(404, "NotFound", "not found")
        }
    };
    let (cluster, mut kinds, _) = cluster_with(&[("metrics.example.com", "v1", json!([]))], answer).await;
    let series = objects("apiVersion: metrics.example.com/v1\nkind: Series\nmetadata: {name: a, namespace: shop}\n");
    let inventory: BTreeSet<Identity> = series.iter().map(Object::identity).collect();
    let forgotten = planned(&cluster, &mut kinds, config_maps(&["a"]), &inventory, false).await;
    let applied = planned(&cluster, &mut kinds, series, &[].into(), false).await;
    let deleted = unmanaged::list_objects(&cluster, &kinds, &release(), "shop").await;
    for (failure, part) in [
        (forgotten.unwrap_err(), "whether Series `a` is there"),
        (applied.unwrap_err(), "Series `a` in m.yaml:1"),
        (deleted.unwrap_err(), "namespace `shop`"),
    ] {
        let text = failure.to_string();
        assert!(
            text.contains(part) && text.contains("kubectl get apiservices"),
            "{text}"
        );
    }
    // The release has deleted it itself.
    services.lock().unwrap().clear();
    let left = unmanaged::list_objects(&cluster, &kinds, &release(), "shop").await;
    assert_eq!(left.unwrap(), [""; 0]);
}

#[tokio::test]
async fn what_kubectl_apply_has_set_is_ours_from_the_first_apply_on() {
    let live = || {
        let mut object = stored("a", "value");
        object["data"]["legacy"] = json!("x");
        object["metadata"]["managedFields"] = json!([{"manager": "kubectl-client-side-apply", "operation": "Update",
            "apiVersion": "v1", "fieldsType": "FieldsV1", "fieldsV1": {"f:data": {".": {}, "f:key": {}, "f:legacy": {}}}}]);
        object
    };
    let tried = move || {
        let mut object = live();
        let ours = stored("a", "value")["metadata"]["managedFields"][0].clone();
        object["metadata"]["managedFields"].as_array_mut().unwrap().push(ours);
        object
    };
    let (cluster, mut kinds, log) = cluster(move |asked| match asked.method.as_str() {
        "GET" => ok(&live()),
        // What is applied once more, and tried without the field, has it no longer.
        "PATCH" if asked.url.contains("force=false") || !asked.body["data"]["legacy"].is_null() => ok(&tried()),
        "PATCH" if asked.body["data"].get("legacy").is_some() => ok(&stored("a", "value")),
        _ => ok(&tried()),
    })
    .await;
    let plan = planned(&cluster, &mut kinds, config_maps(&["a"]), &[].into(), false)
        .await
        .unwrap();
    let step = &plan.steps[0];
    assert_eq!(step.migrated, ["kubectl-client-side-apply"]);
    let gone: Vec<&str> = step
        .differences
        .iter()
        .map(|difference| difference.path.as_str())
        .collect();
    assert_eq!(gone, ["data.legacy"]);
    let removal = log.all().pop().unwrap();
    assert!(removal.url.contains("dryRun=All"), "{}", removal.url);
    assert_eq!(removal.body["data"], json!({"legacy": null}));
    assert!(log.writes().is_empty());

    apply_wave(&cluster, &mut kinds, &plan, Wave::Configuration, &Progress::default())
        .await
        .unwrap();
    let writes = log.writes();
    assert_eq!(writes.len(), 3, "applied, recorded, applied once more");
    let record = &writes[1].body["metadata"];
    assert_eq!(record["resourceVersion"], "7", "whoever writes in between wins");
    let managers: Vec<&Value> = record["managedFields"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| &entry["manager"])
        .collect();
    assert_eq!(managers, ["deploy-tool"]);
    assert!(!record["managedFields"][0]["fieldsV1"]["f:data"]["f:legacy"].is_null());
    assert_eq!(writes[0].body, writes[2].body);
}
