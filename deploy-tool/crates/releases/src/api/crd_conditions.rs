//! Edge: reads from CustomResourceDefinitions whether custom resources have conditions to wait for.

use std::collections::BTreeMap;

use kube::Api;
use kube::api::{ApiResource, DynamicObject};
use kube::core::GroupVersionKind;
use rollout::{Target, TargetKind};

use super::discover::Kinds;
use cluster::Cluster;

/// Records for each custom resource whether the schema of its definition has `status.conditions`, which the wait then needs.
/// Without the permission to read definitions, none has; one that cannot be read for another reason may have them.
pub async fn read_declared_conditions(cluster: &Cluster, kinds: &Kinds, targets: &mut [Target]) {
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
            None => read_declaration(cluster, &name, &kind.version).await,
        };
        known.insert(name, declared);
        target.has_conditions = declared;
    }
}

/// Groups without a dot are Kubernetes' own, and so are those that end in `.k8s.io`.
fn is_custom(kind: &GroupVersionKind) -> bool {
    kind.group.contains('.') && !kind.group.ends_with(".k8s.io")
}

async fn read_declaration(cluster: &Cluster, name: &str, version: &str) -> bool {
    let kind = GroupVersionKind::gvk("apiextensions.k8s.io", "v1", "CustomResourceDefinition");
    let api: Api<DynamicObject> = Api::all_with(cluster.client.clone(), &ApiResource::from_gvk(&kind));
    let message = format!("cannot read CustomResourceDefinition `{name}`");
    match cluster.answer(&message, api.get(name)).await {
        Ok(Ok(definition)) => rollout::declares_conditions(&definition.data, version),
        Ok(Err(kube::Error::Api(status))) if matches!(status.code, 403 | 404) => false,
        // At worst, the wait is some seconds longer; otherwise the resource would count as ready at once.
        Ok(Err(_)) | Err(_) => true,
    }
}
