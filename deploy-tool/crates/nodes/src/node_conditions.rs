//! Pure: whether the nodes of a cluster are ready, and whether the status of their pods is newer than the start of the nodes.

use jiff::Timestamp;
use k8s_openapi::api::core::v1::{Node, NodeCondition, Pod};

/// The nodes that are not ready. A condition from before `since`, the start of the cluster, does not count.
pub fn nodes_not_ready(nodes: &[Node], since: Option<Timestamp>) -> Vec<String> {
    let fresh = |condition: &NodeCondition| {
        let last = condition.last_heartbeat_time.as_ref().map(|time| time.0);
        since.is_none_or(|since| last.is_some_and(|last| last >= since))
    };
    let ready = |node: &Node| {
        let conditions = node
            .status
            .iter()
            .filter_map(|status| status.conditions.as_ref())
            .flatten();
        let mut ready = conditions.filter(|condition| condition.type_ == "Ready" && condition.status == "True");
        ready.any(fresh)
    };
    let not_ready = nodes.iter().filter(|node| !ready(node));
    not_ready.filter_map(|node| node.metadata.name.clone()).collect()
}

/// Pods whose containers are said to run since before their node was started: none can have lived through that, so the
/// kubelet has not reported them yet.
pub fn pods_not_reported(pods: &[Pod], restarted_nodes: &[&str], since: Timestamp) -> Vec<String> {
    let on_restarted = |pod: &&Pod| {
        let node = pod.spec.as_ref().and_then(|spec| spec.node_name.as_deref());
        node.is_some_and(|node| restarted_nodes.contains(&node))
    };
    let stale = |pod: &&Pod| {
        let containers = pod
            .status
            .iter()
            .filter_map(|status| status.container_statuses.as_ref())
            .flatten();
        let mut starts =
            containers.filter_map(|container| container.state.as_ref()?.running.as_ref()?.started_at.clone());
        starts.any(|start| start.0 < since)
    };
    let stale = pods.iter().filter(on_restarted).filter(stale);
    stale.filter_map(|pod| pod.metadata.name.clone()).collect()
}

/// The kernel's limit of inotify instances per user.
pub const WATCHERS_FILE: &str = "/proc/sys/fs/inotify/max_user_instances";
/// Enough for a few clusters; the kernel's default of 128 is not enough for two.
/// <https://kind.sigs.k8s.io/docs/user/known-issues/#pod-errors-due-to-too-many-open-files>
const WATCHERS: u32 = 512;

/// What to do when the kubelets of several nodes on one host may run out of inotify instances.
pub fn few_watchers(setting: Option<&str>) -> Option<String> {
    let found: u32 = setting?.trim().parse().ok()?;
    (found < WATCHERS).then(|| {
        format!(
            "this host allows {found} inotify instances, which several nodes use up (\"too many open files\" in the \
             kubelet's log): `sysctl fs.inotify.max_user_instances={WATCHERS}`, or delete a cluster that is not needed"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_default_is_not_enough_for_two_clusters() {
        assert!(
            few_watchers(Some("128\n"))
                .unwrap()
                .contains("fs.inotify.max_user_instances=512")
        );
        assert_eq!(few_watchers(Some("8192\n")), None);
        assert_eq!(few_watchers(None), None);
    }
    use serde_json::json;

    const START: &str = "2026-01-01T00:01:00Z";
    const BEFORE: &str = "2026-01-01T00:00:00Z";
    const AFTER: &str = "2026-01-01T00:01:05Z";

    #[test]
    fn what_a_node_said_before_its_start_does_not_count() {
        let node = |name: &str, status: &str, heartbeat: &str| -> Node {
            let condition = json!({"type": "Ready", "status": status, "lastHeartbeatTime": heartbeat});
            serde_json::from_value(json!({"metadata": {"name": name}, "status": {"conditions": [condition]}})).unwrap()
        };
        let nodes = [
            node("a", "True", AFTER),
            node("b", "True", BEFORE),
            node("c", "False", AFTER),
        ];
        assert_eq!(nodes_not_ready(&nodes, None), ["c"]);
        assert_eq!(nodes_not_ready(&nodes, Some(START.parse().unwrap())), ["b", "c"]);
    }

    #[test]
    fn no_container_lives_through_the_start_of_its_node() {
        let pod = |name: &str, node: &str, start: &str| -> Pod {
            let container = json!({"name": "c", "image": "", "imageID": "", "ready": true, "restartCount": 0,
                "state": {"running": {"startedAt": start}}});
            serde_json::from_value(
                json!({"metadata": {"name": name}, "spec": {"nodeName": node, "containers": []},
                "status": {"containerStatuses": [container]}}),
            )
            .unwrap()
        };
        let pods = [
            pod("old", "a", BEFORE),
            pod("new", "a", AFTER),
            pod("elsewhere", "b", BEFORE),
        ];
        assert_eq!(pods_not_reported(&pods, &["a"], START.parse().unwrap()), ["old"]);
    }
}
