//! Pure: the waves in which objects are applied; deleting goes the other way round.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::object::Object;
use rollout::DATABASE_ANNOTATION;

/// Objects of one wave need none of each other, only those of the waves before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Wave {
    /// What nearly everything else is in.
    Namespaces,
    /// Kinds of objects that this release brings with it.
    Definitions,
    /// Who may do what, and which traffic is let through: before anything runs.
    Access,
    /// What pods read when they start, and what bounds them.
    Configuration,
    /// Where pods keep their data.
    Storage,
    /// The StatefulSets that a workload names as its database, with the Services of their pods' names.
    Databases,
    /// Services, before the workloads that use their names.
    Services,
    /// Workloads, and every unknown kind.
    Workloads,
    /// What looks at running workloads.
    Autoscaling,
    /// Admission webhooks: while their workloads do not run, they would refuse the other objects of the release. Objects that
    /// an existing webhook refuses because it does not answer are applied in this wave as well.
    Admission,
}

impl Wave {
    /// All of them, the first first.
    pub const ALL: [Self; 10] = [
        Self::Namespaces,
        Self::Definitions,
        Self::Access,
        Self::Configuration,
        Self::Storage,
        Self::Databases,
        Self::Services,
        Self::Workloads,
        Self::Autoscaling,
        Self::Admission,
    ];

    /// The wave of a kind. Only StatefulSets that are a database belong to another one, see [`Databases`].
    pub fn for_kind(group: &str, kind: &str) -> Self {
        match (group, kind) {
            ("", "Namespace") => Self::Namespaces,
            ("apiextensions.k8s.io", "CustomResourceDefinition") => Self::Definitions,
            ("", "ServiceAccount")
            | ("rbac.authorization.k8s.io", "Role" | "RoleBinding" | "ClusterRole" | "ClusterRoleBinding")
            | ("networking.k8s.io", "NetworkPolicy") => Self::Access,
            ("", "Secret" | "ConfigMap" | "ResourceQuota" | "LimitRange")
            | ("node.k8s.io", "RuntimeClass")
            | ("scheduling.k8s.io", "PriorityClass")
            // A sidecar reads its components once, when it starts.
            | ("dapr.io", _) => Self::Configuration,
            ("", "PersistentVolume" | "PersistentVolumeClaim")
            | ("storage.k8s.io", "StorageClass" | "CSIDriver" | "VolumeAttributesClass") => Self::Storage,
            ("", "Service" | "Endpoints") | ("discovery.k8s.io", "EndpointSlice") => Self::Services,
            ("autoscaling", "HorizontalPodAutoscaler")
            | ("policy", "PodDisruptionBudget")
            | ("networking.k8s.io", "Ingress" | "IngressClass")
            | ("apiregistration.k8s.io", "APIService") => Self::Autoscaling,
            ("admissionregistration.k8s.io", _) => Self::Admission,
            _ => Self::Workloads,
        }
    }
}

/// The order of deletion, the smallest first: a step ends when its objects are gone.
pub type RemovalStep = (u8, Reverse<Wave>);

/// The step in which objects of a kind are deleted. Custom resources first: their controller must run to remove their
/// finalizers. Then webhooks, which would refuse everything once their workloads are gone; then the waves in reverse.
/// <https://kubernetes.io/docs/concepts/overview/working-with-objects/finalizers/>
pub fn removal_step(group: &str, kind: &str) -> RemovalStep {
    let step = match group {
        "admissionregistration.k8s.io" => 1,
        "apiregistration.k8s.io" => 2,
        group if rollout::is_built_in(group) => 2,
        _ => 0,
    };
    (step, Reverse(Wave::for_kind(group, kind)))
}

/// The databases of some objects: namespace and name of each StatefulSet that a workload beside it names by its
/// annotation `deploy-tool.dev/database`, and of the Service that gives its pods their names, without which they may not
/// find each other.
#[derive(Debug, Default)]
pub struct Databases {
    sets: BTreeSet<(Option<String>, String)>,
    services: BTreeSet<(Option<String>, String)>,
}

impl Databases {
    /// Those of some objects.
    pub fn find(objects: &[Object]) -> Self {
        let beside = |object: &Object, name: &str| (object.namespace().map(str::to_owned), name.to_owned());
        let named = objects
            .iter()
            .filter_map(|object| Some(beside(object, object.annotation(DATABASE_ANNOTATION)?)));
        let sets: BTreeSet<_> = named.collect();
        let databases = objects
            .iter()
            .filter(|object| object.kind() == "StatefulSet" && sets.contains(&beside(object, object.name())));
        let services = databases.filter_map(|object| {
            Some(beside(
                object,
                object.value.data.pointer("/spec/serviceName")?.as_str()?,
            ))
        });
        Self {
            services: services.collect(),
            sets,
        }
    }

    /// The wave of one of the objects.
    pub fn wave(&self, object: &Object) -> Wave {
        let kind = object.group_version_kind();
        let key = (object.namespace().map(str::to_owned), object.name().to_owned());
        match (kind.group.as_str(), kind.kind.as_str()) {
            ("apps", "StatefulSet") if self.sets.contains(&key) => Wave::Databases,
            ("", "Service") if self.services.contains(&key) => Wave::Databases,
            (group, kind) => Wave::for_kind(group, kind),
        }
    }
}

/// Puts objects in the order in which they are applied; equals keep the order of the files.
pub fn sort_by_wave(mut objects: Vec<Object>) -> Vec<Object> {
    let databases = Databases::find(&objects);
    objects.sort_by_key(|object| databases.wave(object));
    objects
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::parse;

    #[test]
    fn what_needs_others_to_go_is_deleted_first() {
        let kinds = [
            ("", "Namespace"),
            ("apiextensions.k8s.io", "CustomResourceDefinition"),
            ("apps", "Deployment"),
            ("admissionregistration.k8s.io", "ValidatingWebhookConfiguration"),
            ("", "Service"),
            ("gateway.networking.k8s.io", "HTTPRoute"),
            ("apiregistration.k8s.io", "APIService"),
            ("example.com", "Widget"),
        ];
        let mut kinds = kinds.to_vec();
        kinds.sort_by_key(|(group, kind)| removal_step(group, kind));
        let names: Vec<&str> = kinds.iter().map(|(_, kind)| *kind).collect();
        let expected = [
            "HTTPRoute",
            "Widget",
            "ValidatingWebhookConfiguration",
            "APIService",
            "Deployment",
            "Service",
            "CustomResourceDefinition",
            "Namespace",
        ];
        assert_eq!(names, expected);
    }

    #[test]
    fn what_others_need_comes_first() {
        let objects: String = [
            ("admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration", "a"),
            ("networking.k8s.io/v1", "Ingress", "a"),
            ("autoscaling/v2", "HorizontalPodAutoscaler", "app"),
            ("apps/v1", "Deployment", "app"),
            ("example.com/v1", "Widget", "a"),
            // A Service by name only: Knative's runs pods.
            ("serving.knative.dev/v1", "Service", "a"),
            ("v1", "Service", "app"),
            ("apps/v1", "StatefulSet", "queue"),
            ("apps/v1", "StatefulSet", "mariadb"),
            ("v1", "PersistentVolumeClaim", "a"),
            ("dapr.io/v1alpha1", "Component", "a"),
            ("v1", "Secret", "a"),
            ("rbac.authorization.k8s.io/v1", "Role", "a"),
            ("apiextensions.k8s.io/v1", "CustomResourceDefinition", "a"),
            ("v1", "Namespace", "a"),
        ]
        .map(|(version, kind, name)| {
            let annotations = match kind {
                "Deployment" => "{deploy-tool.dev/database: mariadb}",
                _ => "{}",
            };
            format!(
                "apiVersion: {version}\nkind: {kind}\nmetadata: {{name: {name}, annotations: {annotations}}}\n---\n"
            )
        })
        .concat();
        let objects = parse("x", &objects).unwrap();
        let databases = Databases::find(&objects);
        let ordered = sort_by_wave(objects);
        let ordered: Vec<_> = ordered
            .iter()
            .map(|object| (databases.wave(object), object.kind(), object.name()))
            .collect();
        assert_eq!(
            ordered,
            [
                (Wave::Namespaces, "Namespace", "a"),
                (Wave::Definitions, "CustomResourceDefinition", "a"),
                (Wave::Access, "Role", "a"),
                (Wave::Configuration, "Component", "a"),
                (Wave::Configuration, "Secret", "a"),
                (Wave::Storage, "PersistentVolumeClaim", "a"),
                (Wave::Databases, "StatefulSet", "mariadb"),
                (Wave::Services, "Service", "app"),
                (Wave::Workloads, "Deployment", "app"),
                (Wave::Workloads, "Widget", "a"),
                (Wave::Workloads, "Service", "a"),
                (Wave::Workloads, "StatefulSet", "queue"),
                (Wave::Autoscaling, "Ingress", "a"),
                (Wave::Autoscaling, "HorizontalPodAutoscaler", "app"),
                (Wave::Admission, "ValidatingWebhookConfiguration", "a"),
            ]
        );
    }

    #[test]
    fn all_waves_are_listed_in_their_order() {
        assert!(Wave::ALL.windows(2).all(|two| two[0] < two[1]));
        assert_eq!(Wave::ALL.last(), Some(&Wave::Admission));
    }

    #[test]
    fn a_database_comes_with_the_names_of_its_pods() {
        let text = "apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {name: db}\nspec: {serviceName: pods}\n---\n\
                    apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: app, annotations: {deploy-tool.dev/database: db}}\n---\n\
                    apiVersion: v1\nkind: Service\nmetadata: {name: pods}\n---\n\
                    apiVersion: v1\nkind: Service\nmetadata: {name: db}\n";
        let objects = parse("x", text).unwrap();
        let databases = Databases::find(&objects);
        let waves: Vec<Wave> = objects.iter().map(|object| databases.wave(object)).collect();
        assert_eq!(
            waves,
            [Wave::Databases, Wave::Workloads, Wave::Databases, Wave::Services]
        );
    }

    #[test]
    fn a_database_of_another_namespace_is_none_of_ours() {
        let text = "apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {name: db, namespace: b}\n---\n\
                    apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: app, namespace: a, annotations: {deploy-tool.dev/database: db}}\n";
        let objects = parse("x", text).unwrap();
        assert_eq!(Databases::find(&objects).wave(&objects[0]), Wave::Workloads);
    }
}
