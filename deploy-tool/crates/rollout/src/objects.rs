//! A copy of what the cluster says.

use std::collections::BTreeMap;

use k8s_openapi::api::apps::v1::{DaemonSet, Deployment, ReplicaSet, StatefulSet};
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{Event, Pod};
use kube_core::DynamicObject;
use kube_core::GroupVersionKind;

/// A copy of what the cluster says, by `namespace/name` unless it says otherwise.
#[derive(Clone, Debug, Default)]
pub struct Objects {
    /// Deployments.
    pub deployments: BTreeMap<String, Deployment>,
    /// StatefulSets.
    pub stateful_sets: BTreeMap<String, StatefulSet>,
    /// DaemonSets.
    pub daemon_sets: BTreeMap<String, DaemonSet>,
    /// Jobs.
    pub jobs: BTreeMap<String, Job>,
    /// ReplicaSets.
    pub replica_sets: BTreeMap<String, ReplicaSet>,
    /// Pods.
    pub pods: BTreeMap<String, Pod>,
    /// Events, by [`event_key`].
    pub events: BTreeMap<String, Event>,
    /// Objects of all other kinds, by [`other_key`].
    pub others: BTreeMap<String, DynamicObject>,
    /// What a container wrote last before it ended, by the container's id. crun and runc tell there, and only there,
    /// that the kernel took a program for none.
    pub last_words: BTreeMap<String, String>,
}

/// The place of an event: all events about an object lie side by side.
pub fn event_key(event: &Event) -> String {
    let about = &event.involved_object;
    let part = |text: &Option<String>| text.clone().unwrap_or_default();
    format!(
        "{}/{}/{}",
        part(&about.namespace),
        part(&about.name),
        part(&event.metadata.name)
    )
}

/// The place of an object of any kind.
pub fn other_key(kind: &GroupVersionKind, namespace: &str, name: &str) -> String {
    format!("{}/{}/{namespace}/{name}", kind.group, kind.kind)
}
