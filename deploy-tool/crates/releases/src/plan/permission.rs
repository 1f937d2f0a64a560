//! Pure: what the user must be allowed to do for a plan to go through, and the rules that would allow it.

use std::collections::BTreeSet;

use crate::manifest::Object;
use crate::release::{Identity, Name};
use cluster::permission::Permission;
use kube::core::GroupVersionKind;
use rollout::Target;

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

/// The permissions that some steps of a release need: to write the objects, and to watch them until they are ready.
/// `resource` returns the plural name of a kind.
pub fn needed<'i>(
    release: &Name,
    steps: impl IntoIterator<Item = (&'i Identity, Action, Option<&'i Object>)>,
    resource: impl Fn(&GroupVersionKind) -> Option<String>,
) -> BTreeSet<Permission> {
    let mut needed = records(release);
    let mut targets = Vec::new();
    for (identity, action, object) in steps {
        targets.extend(object.and_then(|object| Target::from_object(&object.value)));
        let Some(resource) = resource(&identity.group_version_kind()) else {
            continue;
        };
        let of = |verb| Permission::new(identity.namespace.as_deref(), &identity.group, &resource, verb);
        needed.extend(verbs(action).iter().copied().map(of));
    }
    let needs = rollout::watch_set(&targets);
    let watched = needs.iter().filter(|need| !need.is_optional());
    for need in watched {
        let kind = need.kind.group_version_kind();
        let Some(resource) = resource(&kind) else { continue };
        let namespace = Some(need.namespace.as_str()).filter(|namespace| !namespace.is_empty());
        needed.extend(["list", "watch"].map(|verb| Permission::new(namespace, &kind.group, &resource, verb)));
    }
    needed
}

/// What the release's own records take.
fn records(release: &Name) -> BTreeSet<Permission> {
    let verbs = ["get", "list", "create", "patch", "delete"];
    verbs
        .map(|verb| Permission::new(Some(&release.namespace), "", "secrets", verb))
        .into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::parse;

    fn rights(manifest: &str) -> BTreeSet<String> {
        let objects = parse("m.yaml", manifest).unwrap();
        let release = Name::new(Some("shop"), None, &objects).unwrap();
        let identities: Vec<Identity> = objects.iter().map(Object::identity).collect();
        let steps = identities.iter().zip(&objects);
        let steps = steps.map(|(identity, object)| (identity, Action::Create, Some(object)));
        let plural = |kind: &GroupVersionKind| Some(format!("{}s", kind.kind.to_lowercase()));
        let needed = needed(&release, steps, plural).into_iter();
        let watched =
            needed.filter(|permission| matches!(permission.verb, "list" | "watch") && permission.resource != "secrets");
        watched
            .map(|permission| format!("{} {}", permission.verb, permission.resource))
            .collect()
    }

    #[test]
    fn what_is_watched_until_it_is_ready_is_what_is_asked_for() {
        let template = "template: {metadata: {labels: {a: b}}, spec: {containers: [{name: c, image: i}]}}";
        let workload = |version: &str, kind: &str| {
            format!(
                "apiVersion: {version}\nkind: {kind}\nmetadata: {{name: x, namespace: shop}}\nspec: {{selector: {{matchLabels: {{a: b}}}}, {template}}}\n"
            )
        };
        let both = |names: &[&str]| -> BTreeSet<String> {
            let verbs = ["list", "watch"].into_iter();
            verbs
                .flat_map(|verb| names.iter().map(move |name| format!("{verb} {name}")))
                .collect()
        };
        let cases = [
            (
                workload("apps/v1", "Deployment"),
                both(&["deployments", "pods", "replicasets"]),
            ),
            (workload("apps/v1", "StatefulSet"), both(&["pods", "statefulsets"])),
            (workload("apps/v1", "DaemonSet"), both(&["daemonsets", "pods"])),
            (workload("batch/v1", "Job"), both(&["jobs", "pods"])),
            (workload("v1", "Pod"), both(&["pods"])),
            (
                workload("v1", "PersistentVolumeClaim"),
                both(&["persistentvolumeclaims"]),
            ),
            (workload("example.org/v1", "Thing"), both(&["things"])),
            (workload("v1", "ConfigMap"), both(&[])),
            (workload("batch/v1", "CronJob"), both(&[])),
        ];
        for (manifest, expected) in cases {
            assert_eq!(rights(&manifest), expected, "{manifest}");
        }
    }
}
