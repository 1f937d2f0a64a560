//! A copy of the objects in the cluster.

use std::collections::BTreeMap;

use k8s_openapi::api::apps::v1::{DaemonSet, Deployment, ReplicaSet, StatefulSet};
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{Event, Node, Pod};
use kube_core::{DynamicObject, GroupVersionKind};
use serde::de::DeserializeOwned;
use serde_json::Value;

/// A copy of the objects in the cluster, by `namespace/name` unless a field says otherwise.
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
    /// The last state of Jobs that were deleted during the watch.
    pub gone_jobs: BTreeMap<String, Job>,
    /// Nodes, by `/name`.
    pub nodes: BTreeMap<String, Node>,
    /// ReplicaSets.
    pub replica_sets: BTreeMap<String, ReplicaSet>,
    /// Pods.
    pub pods: BTreeMap<String, Pod>,
    /// Events, by [`event_key`].
    pub events: BTreeMap<String, Event>,
    /// Objects of all other kinds, by [`other_key`].
    pub others: BTreeMap<String, DynamicObject>,
    /// The end of a container's log, by the container's id; empty where it has logged nothing. A log that could not be read
    /// is not in here. crun and runc report only there that the kernel refused a program.
    pub last_words: BTreeMap<String, String>,
}

impl Objects {
    /// Inserts an object of any kind, or replaces it.
    ///
    /// # Errors
    /// When it cannot be deserialized as its kind.
    pub fn insert(&mut self, object: &Value) -> Result<(), serde_json::Error> {
        fn read<K: DeserializeOwned>(object: &Value) -> Result<K, serde_json::Error> {
            serde_json::from_value(object.clone())
        }
        let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
        let (namespace, name) = (text("/metadata/namespace"), text("/metadata/name"));
        let key = format!("{namespace}/{name}");
        match (text("/apiVersion"), text("/kind")) {
            ("apps/v1", "Deployment") => _ = self.deployments.insert(key, read(object)?),
            ("apps/v1", "StatefulSet") => _ = self.stateful_sets.insert(key, read(object)?),
            ("apps/v1", "DaemonSet") => _ = self.daemon_sets.insert(key, read(object)?),
            ("apps/v1", "ReplicaSet") => _ = self.replica_sets.insert(key, read(object)?),
            ("batch/v1", "Job") => _ = self.jobs.insert(key, read(object)?),
            ("v1", "Pod") => _ = self.pods.insert(key, read(object)?),
            ("v1", "Node") => _ = self.nodes.insert(key, read(object)?),
            ("v1", "Event") => {
                let event = read(object)?;
                self.events.insert(event_key(&event), event);
            }
            (api_version, kind) => {
                let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
                let kind = GroupVersionKind::gvk(group, version, kind);
                self.others.insert(other_key(&kind, namespace, name), read(object)?);
            }
        }
        Ok(())
    }
}

/// The key of an event: all events about an object lie side by side.
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

/// The key of an object of any kind.
pub fn other_key(kind: &GroupVersionKind, namespace: &str, name: &str) -> String {
    format!("{}/{}/{namespace}/{name}", kind.group, kind.kind)
}
