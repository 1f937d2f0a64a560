//! Broken pods that would stand in the way of what is right by now.

use jiff::Timestamp;
use k8s_openapi::api::core::v1::Pod;

use super::{Objects, Target, TargetKind, deployment, is_owned_by, pod, stateful_set};

/// Why the kubelet does not start a container, and waits longer before each new attempt, up to five minutes.
/// <https://kubernetes.io/docs/concepts/containers/images/#imagepullbackoff>
const BACK_OFF: [&str; 8] = [
    "CrashLoopBackOff",
    "ErrImagePull",
    "ImagePullBackOff",
    "ErrImageNeverPull",
    "InvalidImageName",
    "CreateContainerConfigError",
    "CreateContainerError",
    "RunContainerError",
];

/// The pods of a target that are to be deleted, so that its controller makes new ones:
///
/// - those that were broken before anybody waited: what is wrong with them may be put right, and they would only find
///   out after their back-off;
/// - those of an older revision of a StatefulSet that never became ready: its controller waits for them for ever.
///   <https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/#forced-rollback>
pub fn pods_to_replace<'a>(target: &Target, objects: &'a Objects, since: Timestamp) -> Vec<&'a Pod> {
    let key = target.key();
    let idle = |pod: &&Pod| pod.metadata.deletion_timestamp.is_none() && !pod::is_ready(pod);
    match target.kind {
        TargetKind::Deployment => {
            let deployment = objects.deployments.get(&key);
            let set = deployment.and_then(|deployment| deployment::newest_replica_set(deployment, objects));
            let uid = set.and_then(|set| set.metadata.uid.as_deref());
            let pods = objects
                .pods
                .values()
                .filter(|pod| is_owned_by(&pod.metadata, uid))
                .filter(idle);
            pods.filter(|pod| is_backing_off(pod) && is_older(pod, since)).collect()
        }
        TargetKind::StatefulSet => {
            let Some(set) = objects.stateful_sets.get(&key) else {
                return Vec::new();
            };
            let observed = set
                .status
                .as_ref()
                .and_then(|status| status.observed_generation)
                .unwrap_or(0);
            if observed < set.metadata.generation.unwrap_or(0).max(target.generation) {
                return Vec::new();
            }
            let blocks = |pod: &Pod| {
                !stateful_set::is_updated(pod, set) && (is_backing_off(pod) || has_restarted(pod) || has_no_node(pod))
            };
            let pods = stateful_set::pods(set, objects).filter(idle);
            pods.filter(|pod| blocks(pod) || (is_backing_off(pod) && is_older(pod, since)))
                .collect()
        }
        TargetKind::DaemonSet => {
            let set = objects.daemon_sets.get(&key);
            let uid = set.and_then(|set| set.metadata.uid.as_deref());
            let pods = objects
                .pods
                .values()
                .filter(|pod| is_owned_by(&pod.metadata, uid))
                .filter(idle);
            pods.filter(|pod| is_backing_off(pod) && is_older(pod, since)).collect()
        }
        // A Job counts its pods' failures itself, and nobody would make a bare pod anew.
        TargetKind::Job | TargetKind::Pod | TargetKind::Other(_) => Vec::new(),
    }
}

fn is_older(pod: &Pod, since: Timestamp) -> bool {
    pod.metadata
        .creation_timestamp
        .as_ref()
        .is_some_and(|created| created.0 < since)
}

fn is_backing_off(pod: &Pod) -> bool {
    pod::containers(pod).any(|(_, status)| {
        let waiting = status.state.as_ref().and_then(|state| state.waiting.as_ref());
        waiting
            .and_then(|waiting| waiting.reason.as_deref())
            .is_some_and(|reason| BACK_OFF.contains(&reason))
    })
}

fn has_restarted(pod: &Pod) -> bool {
    pod::containers(pod).any(|(_, status)| status.restart_count > 0)
}

fn has_no_node(pod: &Pod) -> bool {
    pod::condition(pod, "PodScheduled").is_some_and(|condition| condition.status == "False")
}
