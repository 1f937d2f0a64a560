//! Edge: what definitions say of custom objects that are waited for.

use std::collections::BTreeMap;

use kube::core::GroupVersionKind;
use rollout::{Target, TargetKind};
use serde_json::Value;

use super::Cluster;
use super::discover::Kinds;
use super::pods::ANSWER_LIMIT;

/// Says of each custom object whether its definition has `status.conditions`: those of one that has are waited for. Who
/// may not read definitions knows of none.
pub async fn learn_conditions(cluster: &Cluster, kinds: &Kinds, targets: &mut [Target]) {
    let mut known: BTreeMap<String, bool> = BTreeMap::new();
    for target in targets {
        let TargetKind::Generic(kind) = &target.kind else {
            continue;
        };
        let Some(found) = kinds.find(kind).filter(|_| is_custom(kind)) else {
            continue;
        };
        let name = format!("{}.{}", found.resource.plural, kind.group);
        let declared = match known.get(&name) {
            Some(declared) => *declared,
            None => declares(cluster, &name, &kind.version).await,
        };
        known.insert(name, declared);
        target.has_conditions = declared;
    }
}

/// Groups without a dot are Kubernetes' own, and so are those that end in `.k8s.io`.
fn is_custom(kind: &GroupVersionKind) -> bool {
    kind.group.contains('.') && !kind.group.ends_with(".k8s.io")
}

async fn declares(cluster: &Cluster, name: &str, version: &str) -> bool {
    let path = format!("/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{name}");
    let Ok(request) = http::Request::get(path).body(Vec::new()) else {
        return false;
    };
    let definition = cluster
        .attempt(ANSWER_LIMIT, cluster.client.request::<Value>(request))
        .await;
    definition.is_some_and(|definition| rollout::declares_conditions(&definition, version))
}
