//! Decides what may be deleted: data and foreign objects are kept.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use kube::ResourceExt;
use kube::api::{DynamicObject, PartialObjectMeta};
use serde_json::Value;

use super::record::RELEASE_LABEL;
use super::{Identity, Name};

/// The claims of a StatefulSet, of all claims of its namespace: `<template>-<set>-<ordinal>`.
/// <https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/#volume-claim-templates>
pub fn claims_of(set: &DynamicObject, claims: &[String]) -> Vec<Identity> {
    let templates = set.data.pointer("/spec/volumeClaimTemplates").and_then(Value::as_array);
    let templates = templates.into_iter().flatten();
    let names = templates.filter_map(|template| template.pointer("/metadata/name")?.as_str());
    let prefixes: Vec<String> = names.map(|name| format!("{name}-{}-", set.name_any())).collect();
    let is_ordinal = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let of_set = claims.iter().filter(|claim| {
        let ordinals = prefixes.iter().filter_map(|prefix| claim.strip_prefix(prefix.as_str()));
        ordinals.into_iter().any(is_ordinal)
    });
    let identity = |name: &String| Identity {
        group: String::new(),
        version: "v1".to_owned(),
        kind: "PersistentVolumeClaim".to_owned(),
        namespace: set.namespace(),
        name: name.clone(),
    };
    of_set.map(identity).collect()
}

/// Whether an object in a namespace is foreign, after all objects of the release were deleted. `is_in_namespace`: whether an
/// owner is in the namespace as well, and is counted itself.
pub fn is_foreign(
    release: &Name,
    kind: &str,
    object: &PartialObjectMeta<DynamicObject>,
    is_in_namespace: impl Fn(&OwnerReference) -> bool,
) -> bool {
    // What an object owns goes with it, and is named by its name.
    let is_named = |owner: &OwnerReference| !is_by_itself(&owner.kind, &owner.name) && is_in_namespace(owner);
    let goes_anyway = object.metadata.deletion_timestamp.is_some() || object.owner_references().iter().any(is_named);
    let name = object.name_any();
    let is_record = kind == "Secret"
        && name.starts_with(&format!("deploy-tool.{}.", release.name))
        && object.labels().get(RELEASE_LABEL) == Some(&release.name);
    !(goes_anyway || is_by_itself(kind, &name) || is_record)
}

/// Whether the cluster itself creates the object: in each namespace, or about other objects, such as Events.
fn is_by_itself(kind: &str, name: &str) -> bool {
    let is_default = matches!(
        (kind, name),
        ("ConfigMap", "kube-root-ca.crt") | ("ServiceAccount", "default")
    );
    is_default || matches!(kind, "Event" | "Endpoints" | "EndpointSlice" | "Lease" | "PodMetrics")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::release::tests::release;
    use serde_json::json;

    #[test]
    fn the_claims_of_a_set_are_told_from_those_of_another() {
        let set: DynamicObject = serde_json::from_value(json!({
            "apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": "db", "namespace": "shop"},
            "spec": {"volumeClaimTemplates": [{"metadata": {"name": "data"}}, {"metadata": {"name": "logs"}}]},
        }))
        .unwrap();
        let claims = [
            "data-db-0",
            "data-db-12",
            "logs-db-0",
            "data-db-copy-0",
            "data-db-",
            "data-other-0",
            "db-0",
        ];
        let claims = claims.map(str::to_owned);
        let found: Vec<_> = claims_of(&set, &claims)
            .into_iter()
            .map(|identity| identity.to_string())
            .collect();
        let expected = ["data-db-0", "data-db-12", "logs-db-0"];
        assert_eq!(
            found,
            expected.map(|name| format!("persistentvolumeclaim/{name} in shop"))
        );
    }

    #[test]
    fn what_the_cluster_makes_by_itself_is_nobodys() {
        let cases = [
            ("ConfigMap", json!({"name": "kube-root-ca.crt"}), false),
            ("ConfigMap", json!({"name": "mine"}), true),
            ("ServiceAccount", json!({"name": "default"}), false),
            ("ServiceAccount", json!({"name": "robot"}), true),
            ("Event", json!({"name": "x"}), false),
            ("Lease", json!({"name": "x"}), false),
            ("Pod", json!({"name": "x"}), true),
            (
                "Pod",
                json!({"name": "x", "deletionTimestamp": "2026-01-01T00:00:00Z"}),
                false,
            ),
            (
                "Pod",
                json!({"name": "x", "ownerReferences":
                [{"apiVersion": "v1", "kind": "ReplicaSet", "name": "r", "uid": "u"}]}),
                false,
            ),
            // Its owner is there in every namespace, and not looked at itself.
            (
                "ConfigMap",
                json!({"name": "x", "ownerReferences":
                [{"apiVersion": "v1", "kind": "ServiceAccount", "name": "default", "uid": "u"}]}),
                true,
            ),
            // Its owner is not an object of the namespace: it would stay without the namespace's deletion.
            (
                "ConfigMap",
                json!({"name": "x", "ownerReferences": [{"apiVersion": "rbac.authorization.k8s.io/v1",
                "kind": "ClusterRole", "name": "view", "uid": "u"}]}),
                true,
            ),
            (
                "Secret",
                json!({"name": "deploy-tool.shop.3", "labels": {RELEASE_LABEL: "shop"}}),
                false,
            ),
            (
                "Secret",
                json!({"name": "deploy-tool.other.3", "labels": {RELEASE_LABEL: "other"}}),
                true,
            ),
            ("Secret", json!({"name": "deploy-tool.shop.3"}), true),
        ];
        for (kind, metadata, expected) in cases {
            let object = serde_json::from_value(json!({"metadata": metadata})).unwrap();
            let is_in_namespace =
                |owner: &OwnerReference| ["ReplicaSet", "ServiceAccount"].contains(&owner.kind.as_str());
            let found = is_foreign(&release(), kind, &object, is_in_namespace);
            assert_eq!(found, expected, "{kind} {metadata}");
        }
    }
}
