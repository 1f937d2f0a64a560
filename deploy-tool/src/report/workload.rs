//! Pure: counts pods by their workload, for a readable table with thousands of pods.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::api::core::v1::Pod;
use serde::Serialize;

use super::PodStatus;

/// What a Deployment adds to the name of its ReplicaSets:
/// <https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#pod-template-hash-label>
const HASH_LABEL: &str = "pod-template-hash";

/// The pods of one workload, counted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct WorkloadStatus {
    /// Kind and name, such as `Deployment/app`; none for the pods that stand alone.
    pub workload: Option<String>,
    /// How many pods it has.
    pub pods: usize,
    /// How many of them are ready.
    pub ready: usize,
    /// How often their containers were restarted.
    pub restarts: i64,
    /// On how many nodes they are.
    pub nodes: usize,
    /// How they run, as far as they were asked and said so.
    pub modes: BTreeSet<String>,
    /// Their images; more than one while it is rolled out.
    pub images: BTreeSet<String>,
    /// How many are in which state.
    pub states: BTreeMap<String, usize>,
}

/// What a pod belongs to. A Deployment's ReplicaSet is named after it.
pub fn workload(pod: &Pod) -> Option<String> {
    let owners = pod.metadata.owner_references.as_ref()?;
    let owner = owners.iter().find(|owner| owner.controller == Some(true))?;
    let labels = pod.metadata.labels.as_ref();
    let hash = labels.and_then(|labels| labels.get(HASH_LABEL));
    let deployment = hash.and_then(|hash| owner.name.strip_suffix(hash.as_str())?.strip_suffix('-'));
    Some(match deployment.filter(|_| owner.kind == "ReplicaSet") {
        Some(deployment) => format!("Deployment/{deployment}"),
        None => format!("{}/{}", owner.kind, owner.name),
    })
}

/// The pods, counted by workload.
pub fn workloads(pods: &[PodStatus]) -> Vec<WorkloadStatus> {
    let mut groups: BTreeMap<Option<&str>, Vec<&PodStatus>> = BTreeMap::new();
    for pod in pods {
        groups.entry(pod.workload.as_deref()).or_default().push(pod);
    }
    groups.into_iter().map(|(name, pods)| count(name, &pods)).collect()
}

fn count(workload: Option<&str>, pods: &[&PodStatus]) -> WorkloadStatus {
    let mut states = BTreeMap::new();
    for pod in pods {
        *states.entry(pod.state.clone()).or_default() += 1;
    }
    let nodes: BTreeSet<_> = pods.iter().filter_map(|pod| pod.node.as_deref()).collect();
    WorkloadStatus {
        workload: workload.map(str::to_owned),
        pods: pods.len(),
        ready: pods.iter().filter(|pod| pod.ready).count(),
        restarts: pods.iter().map(|pod| i64::from(pod.restarts)).sum(),
        nodes: nodes.len(),
        modes: pods.iter().filter_map(|pod| pod.mode.clone()).collect(),
        images: pods.iter().map(|pod| pod.shown_image()).collect(),
        states,
    }
}

#[cfg(test)]
mod tests {
    use super::super::pod_status;
    use super::*;
    use serde_json::json;

    fn pod(name: &str, kind: &str, owner: &str, ready: &str) -> Pod {
        serde_json::from_value(json!({
            "metadata": {"name": name, "labels": {"pod-template-hash": "5d9f"}, "ownerReferences": [
                {"apiVersion": "apps/v1", "kind": kind, "name": owner, "uid": "u", "controller": true}]},
            "spec": {"nodeName": "w", "containers": [{"name": "c", "image": "i"}]},
            "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": ready}], "containerStatuses": [
                {"name": "c", "image": "i", "imageID": "", "ready": true, "restartCount": 2}]},
        }))
        .unwrap()
    }

    #[test]
    fn pods_are_counted_by_what_a_person_has_deployed() {
        let mut alone = pod("debug", "", "", "True");
        alone.metadata.owner_references = None;
        let pods = [
            alone,
            pod("app-5d9f-x", "ReplicaSet", "app-5d9f", "True"),
            pod("app-5d9f-y", "ReplicaSet", "app-5d9f", "False"),
            pod("db-0", "StatefulSet", "db", "True"),
            pod("set-z", "ReplicaSet", "set", "True"),
        ];
        let statuses: Vec<PodStatus> = pods.iter().map(|pod| pod_status(pod, None)).collect();
        let counted = workloads(&statuses);
        let found: Vec<_> = counted
            .iter()
            .map(|status| {
                (
                    status.workload.as_deref(),
                    status.pods,
                    status.ready,
                    status.restarts,
                    status.nodes,
                )
            })
            .collect();
        assert_eq!(
            found,
            [
                (None, 1, 1, 2, 1),
                (Some("Deployment/app"), 2, 1, 4, 1),
                (Some("ReplicaSet/set"), 1, 1, 2, 1),
                (Some("StatefulSet/db"), 1, 1, 2, 1),
            ]
        );
    }
}
