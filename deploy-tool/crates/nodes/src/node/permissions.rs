//! What the user must be allowed to do.

use std::collections::BTreeSet;

use crate::doctor;
use cluster::permission::Permission;

/// The permissions of `install` and `remove`. A user who may create privileged pods has root on the nodes anyway.
pub fn permissions(namespace: &str) -> BTreeSet<Permission> {
    let jobs =
        ["create", "list", "watch", "delete"].map(|verb| Permission::new(Some(namespace), "batch", "jobs", verb));
    let classes = ["create", "delete"].map(|verb| Permission::new(None, "node.k8s.io", "runtimeclasses", verb));
    let others = [
        Permission::new(None, "", "nodes", "get"),
        Permission::new(None, "", "nodes", "watch"),
        Permission::new(None, "", "nodes", "patch"),
        Permission::new(None, "", "pods", "list"),
        Permission::new(None, "", "pods/eviction", "create"),
    ];
    doctor::permissions(namespace)
        .into_iter()
        .chain(jobs)
        .chain(classes)
        .chain(others)
        .collect()
}
