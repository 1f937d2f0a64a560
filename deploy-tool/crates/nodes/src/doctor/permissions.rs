//! What the user must be allowed to do.

use std::collections::BTreeSet;

use cluster::permission::Permission;

/// The permissions of `doctor` in a namespace, and those to read cluster-scoped objects.
pub fn permissions(namespace: &str) -> BTreeSet<Permission> {
    let pods =
        ["create", "get", "list", "watch", "delete"].map(|verb| Permission::new(Some(namespace), "", "pods", verb));
    let others = [
        Permission::new(Some(namespace), "", "pods/log", "get"),
        Permission::new(Some(namespace), "", "events", "list"),
        Permission::new(Some(namespace), "", "events", "watch"),
        Permission::new(None, "", "nodes", "list"),
        Permission::new(None, "node.k8s.io", "runtimeclasses", "list"),
    ];
    pods.into_iter().chain(others).collect()
}
