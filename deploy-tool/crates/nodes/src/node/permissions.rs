//! What the user must be allowed to do.

use std::collections::BTreeSet;

use crate::doctor;
use cluster::permission::Permission;

/// The permissions of `install` and `remove`. A user who may create privileged pods has root on the nodes anyway.
pub fn permissions(namespace: &str) -> BTreeSet<Permission> {
    let of = |namespace: Option<&str>, group: &str, resource: &str, verb| Permission {
        namespace: namespace.map(str::to_owned),
        group: group.to_owned(),
        resource: resource.to_owned(),
        verb,
    };
    let jobs = ["create", "list", "watch", "delete"].map(|verb| of(Some(namespace), "batch", "jobs", verb));
    let classes = ["create", "delete"].map(|verb| of(None, "node.k8s.io", "runtimeclasses", verb));
    let others = [
        of(None, "", "nodes", "get"),
        of(None, "", "nodes", "watch"),
        of(None, "", "nodes", "patch"),
        of(None, "", "pods", "list"),
        of(None, "", "pods/eviction", "create"),
    ];
    doctor::permissions(namespace)
        .into_iter()
        .chain(jobs)
        .chain(classes)
        .chain(others)
        .collect()
}
