//! Pure: what the user must be allowed to do for a plan to go through, and the rules that would allow it.

use std::collections::BTreeSet;

use crate::manifest::Wave;
use crate::release::{Identity, Name};
use cluster::permission::Permission;

use super::Action;

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
