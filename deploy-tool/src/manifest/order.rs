//! Pure: the order in which objects are applied; deleting goes the other way round.

use super::object::Object;

/// Kinds that others need, before those that need them. What is not named here comes after the named ones that
/// workloads depend on, and before the workloads.
const BEFORE: [&str; 13] = [
    "Namespace",
    "CustomResourceDefinition",
    "PriorityClass",
    "RuntimeClass",
    "StorageClass",
    "ResourceQuota",
    "LimitRange",
    "ServiceAccount",
    "Secret",
    "ConfigMap",
    "PersistentVolume",
    "PersistentVolumeClaim",
    "Service",
];
/// Kinds that need others. A database comes before the services that use it.
const AFTER: [&str; 6] = ["StatefulSet", "DaemonSet", "Deployment", "Job", "CronJob", "Ingress"];

/// Puts objects in the order in which they are applied; equals keep the order of the files.
pub fn in_order(mut objects: Vec<Object>) -> Vec<Object> {
    objects.sort_by_key(|object| rank(object.kind()));
    objects
}

fn rank(kind: &str) -> usize {
    let before = BEFORE.iter().position(|known| *known == kind);
    let after = AFTER
        .iter()
        .position(|known| *known == kind)
        .map(|place| BEFORE.len() + 1 + place);
    before.or(after).unwrap_or(BEFORE.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::parse;

    #[test]
    fn what_others_need_comes_first() {
        let kinds = [
            "Deployment",
            "Widget",
            "Service",
            "StatefulSet",
            "Secret",
            "Namespace",
            "RuntimeClass",
        ];
        let objects = kinds.map(|kind| {
            parse("x", &format!("apiVersion: v1\nkind: {kind}\nmetadata: {{name: a}}\n"))
                .unwrap()
                .remove(0)
        });
        let ordered = in_order(objects.to_vec());
        let ordered: Vec<_> = ordered.iter().map(Object::kind).collect();
        assert_eq!(
            ordered,
            [
                "Namespace",
                "RuntimeClass",
                "Secret",
                "Service",
                "Widget",
                "StatefulSet",
                "Deployment"
            ]
        );
    }
}
