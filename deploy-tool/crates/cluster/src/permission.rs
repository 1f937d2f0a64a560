//! Pure: what a user must be allowed to do, and the rules that would allow it.

use std::collections::{BTreeMap, BTreeSet};

use diagnostics::Error;
use diagnostics::code;
use kube::core::Status;

/// Something that a user may or may not do: one question to the API server.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Permission {
    /// The namespace; none for objects of the whole cluster.
    pub namespace: Option<String>,
    /// The API group; empty for the core group.
    pub group: String,
    /// The plural name of the kind, as paths have it.
    pub resource: String,
    /// The verb: create, patch, delete, get, list, watch.
    pub verb: &'static str,
}

impl Permission {
    /// A verb on a resource of a group, in a namespace or in the whole cluster.
    pub fn new(namespace: Option<&str>, group: &str, resource: &str, verb: &'static str) -> Self {
        Self {
            namespace: namespace.map(str::to_owned),
            group: group.to_owned(),
            resource: resource.to_owned(),
            verb,
        }
    }
}

/// Whether the server refuses a request because of a missing permission, and not because of its content.
///
/// <https://kubernetes.io/docs/reference/access-authn-authz/authorization/>: `… is forbidden: User "…" cannot patch …`
pub fn is_missing_permission(status: &Status) -> bool {
    status.code == 403 && status.message.contains(" cannot ") && status.message.contains("User \"")
}

/// Whether the server does not know who sends a request: the login has expired, or it is one for another cluster.
pub fn is_login_refused(status: &Status) -> bool {
    status.code == 401
}

/// A failure whose cause is the login.
pub fn login_refused(failure: Error, status: &Status) -> Error {
    failure
        .code(&code::apply::LOGIN_REFUSED)
        .cause(format!("the API server does not accept the login: {}", status.message))
        .hint(
            "log in again with the program that the kubeconfig names for the context's user, or fetch a new kubeconfig",
        )
}

/// One failure that lists all that is missing, and the rules that would allow it.
pub fn missing(user: &str, missing: &BTreeSet<Permission>) -> Error {
    let rows = grouped(missing);
    let width = rows
        .keys()
        .map(|(_, group, resource)| full(group, resource).len())
        .max();
    let width = width.unwrap_or_default();
    let table = rows.iter().map(|((namespace, group, resource), verbs)| {
        let place = namespace
            .as_ref()
            .map_or("the whole cluster".to_owned(), |name| format!("namespace {name}"));
        format!("{:width$}  {}  in {place}", full(group, resource), verbs.join(", "))
    });
    let table: Vec<String> = table.collect();
    Error::cluster(format!(
        "the user of context `{user}` lacks permissions; nothing has been written"
    ))
    .code(&code::apply::PERMISSION_MISSING)
    .detail(table.join("\n"))
    .hint(format!(
        "have an administrator apply these rules, and bind them to the user:\n{}",
        rules(missing)
    ))
}

/// Groups missing permissions by namespace and resource.
fn grouped(missing: &BTreeSet<Permission>) -> BTreeMap<(Option<String>, String, String), Vec<&'static str>> {
    let mut rows: BTreeMap<_, Vec<&'static str>> = BTreeMap::new();
    for permission in missing {
        let Permission {
            namespace,
            group,
            resource,
            verb,
        } = permission.clone();
        rows.entry((namespace, group, resource)).or_default().push(verb);
    }
    rows
}

fn full(group: &str, resource: &str) -> String {
    if group.is_empty() {
        resource.to_owned()
    } else {
        format!("{resource}.{group}")
    }
}

/// The manifests of a Role for each namespace, and a ClusterRole for cluster-scoped resources.
fn rules(missing: &BTreeSet<Permission>) -> String {
    let mut roles: BTreeMap<Option<String>, Vec<String>> = BTreeMap::new();
    for ((namespace, group, resource), verbs) in grouped(missing) {
        let rule = format!(
            "- apiGroups: [\"{group}\"]\n  resources: [{resource}]\n  verbs: [{}]\n",
            verbs.join(", ")
        );
        roles.entry(namespace).or_default().push(rule);
    }
    let documents = roles.into_iter().map(|(namespace, rules)| {
        let (kind, place) = match namespace {
            Some(namespace) => ("Role", format!(", namespace: {namespace}")),
            None => ("ClusterRole", String::new()),
        };
        format!(
            "apiVersion: rbac.authorization.k8s.io/v1\nkind: {kind}\nmetadata: {{name: deploy-tool{place}}}\nrules:\n{}",
            rules.concat()
        )
    });
    documents.collect::<Vec<_>>().join("---\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rules_are_manifests_that_allow_exactly_what_is_missing() {
        let all = [
            Permission::new(None, "node.k8s.io", "runtimeclasses", "patch"),
            Permission::new(Some("shop"), "", "secrets", "create"),
            Permission::new(Some("shop"), "apps", "deployments", "create"),
            Permission::new(Some("shop"), "apps", "deployments", "patch"),
        ]
        .into();
        let failure = missing("prod", &all).to_string();
        for part in [
            "`prod` lacks permissions",
            "deployments.apps            create, patch  in namespace shop",
            "runtimeclasses.node.k8s.io  patch  in the whole cluster",
        ] {
            assert!(failure.contains(part), "`{part}` is missing in:\n{failure}");
        }
        let roles: Vec<serde_json::Value> = yaml::documents(&rules(&all))
            .unwrap()
            .into_iter()
            .map(|role| role.value)
            .collect();
        let titles: Vec<_> = roles
            .iter()
            .map(|role| (role["kind"].as_str().unwrap(), role["metadata"]["namespace"].as_str()))
            .collect();
        assert_eq!(titles, [("ClusterRole", None), ("Role", Some("shop"))]);
        let rule =
            serde_json::json!({"apiGroups": ["apps"], "resources": ["deployments"], "verbs": ["create", "patch"]});
        assert_eq!(roles[1]["rules"][1], rule);
    }

    #[test]
    fn a_missing_permission_is_no_policy_and_no_expired_login() {
        let status_of = |code: u16, message: &str| Status {
            code,
            message: message.into(),
            ..Status::default()
        };
        let status = |message: &str| status_of(403, message);
        let expired = status_of(401, "Unauthorized");
        assert!(!is_missing_permission(&expired) && is_login_refused(&expired));
        let failure = login_refused(Error::cluster("cannot list the pods"), &expired);
        assert_eq!(failure.number(), Some(&code::apply::LOGIN_REFUSED));
        assert!(failure.to_string().contains("does not accept the login: Unauthorized"));
        let user = "secrets \"a\" is forbidden: User \"system:serviceaccount:a:b\" cannot patch resource \"secrets\" in API group \"\" in the namespace \"a\"";
        assert!(is_missing_permission(&status(user)) && !is_login_refused(&status(user)));
        assert!(!is_missing_permission(&status(
            "pods \"a\" is forbidden: exceeded quota: small"
        )));
    }
}
