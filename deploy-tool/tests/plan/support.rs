//! A small cluster, and plans for it.

use std::collections::BTreeSet;

use cluster::Cluster;
use diagnostics::{Error, Result};
use releases::api::discover::Kinds;
use releases::api::plan;
use releases::manifest;
use releases::manifest::Object;
use releases::plan::{OnConflict, Plan, refuse_undecided};
use releases::release::{Identity, Name};
use serde_json::{Value, json};

use crate::mock::{self, Asked, Log};

pub const CONFIG_MAPS: &str = "/api/v1/namespaces/shop/configmaps";

pub fn release() -> Name {
    Name::new(Some("shop"), None, &[]).unwrap()
}

pub fn objects(text: &str) -> Vec<Object> {
    manifest::parse("m.yaml", text).unwrap()
}

pub fn config_maps(names: &[&str]) -> Vec<Object> {
    let text = |name: &&str| {
        format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}}}\ndata: {{key: value}}\n---\n")
    };
    objects(&names.iter().map(text).collect::<String>())
}

/// A ConfigMap as it is stored after it was applied.
pub fn stored(name: &str, value: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "ConfigMap", "data": {"key": value},
        "metadata": {
            "name": name, "namespace": "shop", "uid": format!("uid-{name}"), "resourceVersion": "7",
            "annotations": {"deploy-tool.dev/release": "shop/shop"},
            "managedFields": [{"manager": "deploy-tool", "operation": "Apply", "apiVersion": "v1", "fieldsType": "FieldsV1",
                "fieldsV1": {"f:data": {"f:key": {}}, "f:metadata": {"f:annotations": {"f:deploy-tool.dev/release": {}}}}}],
        },
    })
}

pub fn status(code: u16, reason: &str, message: &str) -> (u16, String) {
    let status = json!({"kind": "Status", "status": "Failure", "code": code, "reason": reason, "message": message});
    (code, status.to_string())
}

pub fn ok(body: &Value) -> (u16, String) {
    (200, body.to_string())
}

/// The kinds of a small cluster, as its discovery gives them.
pub fn discovery(url: &str) -> Option<Value> {
    let kind = |group: &str, kind: &str, scope: &str| {
        json!({"resource": format!("{}s", kind.to_lowercase()), "scope": scope, "verbs": ["get", "list", "delete"], "singularResource": "",
            "responseKind": {"group": group, "version": "v1", "kind": kind}})
    };
    let group = |name: &str, kinds: Value| json!({"metadata": {"name": name}, "versions": [{"version": "v1", "freshness": "Current", "resources": kinds}]});
    let items = match url {
        "/api" => json!([group(
            "",
            json!([
                kind("", "Namespace", "Cluster"),
                kind("", "ConfigMap", "Namespaced"),
                kind("", "Secret", "Namespaced"),
                kind("", "PersistentVolumeClaim", "Namespaced")
            ])
        )]),
        "/apis" => json!([group(
            "apiextensions.k8s.io",
            json!([kind("apiextensions.k8s.io", "CustomResourceDefinition", "Cluster")])
        )]),
        _ => return None,
    };
    Some(
        json!({"kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "metadata": {}, "items": items}),
    )
}

/// A cluster whose discovery works and whose other answers a function gives.
pub async fn cluster(answer: impl Fn(&Asked) -> (u16, String) + Send + 'static) -> (Cluster, Kinds, Log) {
    let (cluster, log) = mock::cluster(move |asked| match discovery(&asked.url) {
        Some(kinds) => ok(&kinds),
        None => answer(asked),
    });
    let kinds = Kinds::discover(&cluster).await.unwrap();
    (cluster, kinds, log)
}

/// What was asked for after the discovery: method and path of each, without the parameters.
pub fn asked(log: &Log) -> Vec<(String, String)> {
    let all = log.all().into_iter().filter(|asked| discovery(&asked.url).is_none());
    let path = |url: &str| url.split('?').next().unwrap().to_owned();
    all.map(|asked| (asked.method, path(&asked.url))).collect()
}

pub async fn planned(
    cluster: &Cluster,
    kinds: &mut Kinds,
    objects: Vec<Object>,
    inventory: &BTreeSet<Identity>,
    take_over: bool,
) -> Result<Plan> {
    let on_conflict = OnConflict::from_flag(take_over);
    let plan = plan::make_plan(cluster, kinds, &release(), objects, inventory, on_conflict).await?;
    refuse_undecided(&plan, cluster.now())?;
    Ok(plan)
}

pub fn list(items: &[Value]) -> (u16, String) {
    ok(&json!({"kind": "ConfigMapList", "apiVersion": "v1", "metadata": {"resourceVersion": "9"}, "items": items}))
}

pub fn name_of(url: &str) -> &str {
    url.split('?').next().unwrap().rsplit('/').next().unwrap()
}

/// The number of a failure.
pub fn number(failure: &Error) -> u16 {
    failure.number().unwrap_or_else(|| panic!("{failure}")).number
}
