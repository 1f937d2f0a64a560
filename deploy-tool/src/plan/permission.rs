//! Pure: what the user must be allowed to do for a plan to go through, and the rules that would allow it.

use std::collections::{BTreeMap, BTreeSet};

use crate::manifest::Wave;
use crate::release::{Identity, Name};
use diagnostics::Failure;
use diagnostics::code;

use super::Action;

/// Something that a user may or may not do: one question to the API server.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Permission {
    /// The namespace; none for objects of the whole cluster.
    pub namespace: Option<String>,
    /// The API group; empty for the core group.
    pub group: String,
    /// The plural name of the kind, as paths have it.
    pub resource: String,
    /// What is done: create, patch, delete, get, list, watch.
    pub verb: &'static str,
}

/// What each kind of step takes. An apply is a patch, and a create when the object is not there yet.
/// <https://kubernetes.io/docs/reference/access-authn-authz/authorization/#determine-the-request-verb>
pub fn verbs(action: Action) -> &'static [&'static str] {
    match action {
        Action::Create => &["get", "create", "patch"],
        Action::Change => &["get", "patch"],
        Action::Prune => &["get", "delete"],
        Action::Keep => &[],
    }
}

/// What waiting for workloads takes in their namespace.
const WAITING: [(&str, &str); 5] = [
    ("", "pods"),
    ("", "events"),
    ("apps", "replicasets"),
    ("apps", "deployments"),
    ("apps", "statefulsets"),
];

/// All that some steps of a release need. `resource` gives the plural name of a kind.
pub fn needed<'i>(
    release: &Name,
    steps: impl IntoIterator<Item = (&'i Identity, Action)>,
    resource: impl Fn(&Identity) -> Option<String>,
) -> BTreeSet<Permission> {
    let mut needed = records(release);
    for (identity, action) in steps {
        let Some(resource) = resource(identity) else { continue };
        needed.extend(verbs(action).iter().map(|verb| Permission {
            namespace: identity.namespace.clone(),
            group: identity.group.clone(),
            resource: resource.clone(),
            verb,
        }));
        if Wave::of_kind(&identity.group, &identity.kind) == Wave::Workloads {
            needed.extend(identity.namespace.iter().flat_map(|namespace| waiting(namespace)));
        }
    }
    needed
}

/// What the release's own records take.
fn records(release: &Name) -> BTreeSet<Permission> {
    let verbs = ["get", "list", "create", "patch", "delete"];
    let records = verbs.map(|verb| Permission {
        namespace: Some(release.namespace.clone()),
        group: String::new(),
        resource: "secrets".to_owned(),
        verb,
    });
    records.into()
}

fn waiting(namespace: &str) -> impl Iterator<Item = Permission> {
    WAITING.iter().flat_map(move |(group, resource)| {
        ["list", "watch"].map(|verb| Permission {
            namespace: Some(namespace.to_owned()),
            group: (*group).to_owned(),
            resource: (*resource).to_owned(),
            verb,
        })
    })
}

/// One failure that lists all that is missing, and the rules that would allow it.
pub fn missing(user: &str, missing: &BTreeSet<Permission>) -> Failure {
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
    Failure::cluster(format!(
        "the user of context `{user}` lacks permissions; nothing has been written"
    ))
    .code(&code::apply::PERMISSION_MISSING)
    .showing(table.join("\n"))
    .next(format!(
        "have an administrator apply these rules, and bind them to the user:\n{}",
        rules(missing)
    ))
}

/// What is missing, by place and kind.
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
    match group.is_empty() {
        true => resource.to_owned(),
        false => format!("{resource}.{group}"),
    }
}

/// A Role for each namespace, and a ClusterRole for what is in none.
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
    use crate::manifest::parse;

    fn permission(namespace: Option<&str>, group: &str, resource: &str, verb: &'static str) -> Permission {
        Permission {
            namespace: namespace.map(str::to_owned),
            group: group.into(),
            resource: resource.into(),
            verb,
        }
    }

    #[test]
    fn the_rules_are_manifests_that_allow_exactly_what_is_missing() {
        let all = [
            permission(None, "node.k8s.io", "runtimeclasses", "patch"),
            permission(Some("shop"), "", "secrets", "create"),
            permission(Some("shop"), "apps", "deployments", "create"),
            permission(Some("shop"), "apps", "deployments", "patch"),
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
        let roles = parse("x", &rules(&all)).unwrap();
        let titles: Vec<_> = roles.iter().map(|role| (role.kind(), role.namespace())).collect();
        assert_eq!(titles, [("ClusterRole", None), ("Role", Some("shop"))]);
        let rule =
            serde_json::json!({"apiGroups": ["apps"], "resources": ["deployments"], "verbs": ["create", "patch"]});
        assert_eq!(roles[1].value.data["rules"][1], rule);
    }
}
