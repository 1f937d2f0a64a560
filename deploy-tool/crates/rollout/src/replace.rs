//! Chooses broken pods to delete, which delay or block a rollout that would succeed.

use jiff::Timestamp;
use k8s_openapi::api::core::v1::Pod;

use crate::ownership::{newest_replica_set, pods_of};
use crate::{Objects, Target, TargetKind, pod_view, stateful_set};

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

/// The pods of a target to delete, so that its controller creates new ones:
///
/// - those that were broken before the wait began: the cause may be fixed, and their next attempt may be minutes away
///   because of the back-off;
/// - those of an older revision of a StatefulSet that never became ready: its controller waits for them for ever.
///   <https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/#forced-rollback>
pub fn pods_to_replace<'a>(target: &Target, objects: &'a Objects, since: Timestamp) -> Vec<&'a Pod> {
    let key = target.key();
    let is_idle = |pod: &&Pod| !pod_view::is_leaving(pod) && !pod_view::is_ready(pod);
    let was_broken = |pod: &&Pod| is_backing_off(pod) && is_older(pod, since);
    let of_owner = |uid: Option<&str>| pods_of(objects, uid).filter(is_idle).filter(was_broken).collect();
    match target.kind {
        TargetKind::Deployment => {
            let deployment = objects.deployments.get(&key);
            let set = deployment.and_then(|deployment| newest_replica_set(deployment, objects));
            of_owner(set.and_then(|set| set.metadata.uid.as_deref()))
        }
        TargetKind::DaemonSet => {
            let set = objects.daemon_sets.get(&key);
            of_owner(set.and_then(|set| set.metadata.uid.as_deref()))
        }
        TargetKind::StatefulSet => {
            let Some(set) = objects.stateful_sets.get(&key) else {
                return Vec::new();
            };
            let observed = set.status.as_ref().and_then(|status| status.observed_generation);
            if observed.unwrap_or(0) < set.metadata.generation.unwrap_or(0).max(target.generation) {
                return Vec::new();
            }
            let blocks = |pod: &Pod| {
                !stateful_set::is_updated(pod, set) && (is_backing_off(pod) || has_restarted(pod) || has_no_node(pod))
            };
            let pods = stateful_set::pods(set, objects).filter(is_idle);
            pods.filter(|pod| blocks(pod) || was_broken(pod)).collect()
        }
        // A Job counts the failures of its pods, and a pod without a controller would not be created again.
        TargetKind::Job | TargetKind::Pod | TargetKind::Generic(_) => Vec::new(),
    }
}

fn is_older(pod: &Pod, since: Timestamp) -> bool {
    pod_view::created(pod).is_some_and(|created| created < since)
}

fn is_backing_off(pod: &Pod) -> bool {
    pod_view::containers(pod).any(|(_, status)| {
        let waiting = status.state.as_ref().and_then(|state| state.waiting.as_ref());
        waiting
            .and_then(|waiting| waiting.reason.as_deref())
            .is_some_and(|reason| BACK_OFF.contains(&reason))
    })
}

fn has_restarted(pod: &Pod) -> bool {
    pod_view::containers(pod).any(|(_, status)| status.restart_count > 0)
}

fn has_no_node(pod: &Pod) -> bool {
    pod_view::condition(pod, "PodScheduled").is_some_and(|condition| condition.status == "False")
}
