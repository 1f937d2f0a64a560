//! What the user must be allowed to do.

use std::collections::BTreeSet;

use cluster::permission::Permission;

/// The permissions of `doctor` in a namespace, and those to read cluster-scoped objects.
pub fn permissions(namespace: &str) -> BTreeSet<Permission> {
    let of = |namespace: Option<&str>, group: &str, resource: &str, verb| Permission {
        namespace: namespace.map(str::to_owned),
        group: group.to_owned(),
        resource: resource.to_owned(),
        verb,
    };
    let pods = ["create", "get", "list", "watch", "delete"].map(|verb| of(Some(namespace), "", "pods", verb));
    let others = [
        of(Some(namespace), "", "pods/log", "get"),
        of(Some(namespace), "", "events", "list"),
        of(Some(namespace), "", "events", "watch"),
        of(None, "", "nodes", "list"),
        of(None, "node.k8s.io", "runtimeclasses", "list"),
    ];
    pods.into_iter().chain(others).collect()
}
