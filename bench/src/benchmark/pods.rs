//! How far a pod is.

use k8s_openapi::api::core::v1::{Node, Pod};

/// Whether a pod has a condition. <https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-conditions>
pub fn has(pod: &Pod, condition: &str) -> bool {
    let conditions = pod.status.iter().filter_map(|status| status.conditions.as_ref());
    conditions
        .flatten()
        .any(|entry| entry.type_ == condition && entry.status == "True")
}

/// The id of a pod's only container, as the node's cgroups name it.
pub fn container_id(pod: &Pod) -> Option<&str> {
    let containers = pod.status.as_ref()?.container_statuses.as_ref()?;
    let (_, id) = containers.first()?.container_id.as_ref()?.split_once("://")?;
    Some(id)
}

/// The address at which this host reaches a node.
pub fn address(node: &Node) -> Option<&str> {
    let addresses = node.status.as_ref()?.addresses.as_ref()?;
    let internal = addresses.iter().find(|address| address.type_ == "InternalIP")?;
    Some(&internal.address)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn reads_what_a_pod_says() {
        let pod: Pod = serde_json::from_value(json!({"status": {
            "conditions": [{"type": "PodScheduled", "status": "True"}, {"type": "Ready", "status": "False"}],
            "containerStatuses": [{"name": "a", "image": "", "imageID": "", "ready": false, "restartCount": 0,
                "containerID": "containerd://ab"}],
        }}))
        .unwrap();
        assert!(has(&pod, "PodScheduled") && !has(&pod, "Ready") && !has(&pod, "Other"));
        assert_eq!(container_id(&pod), Some("ab"));
        assert_eq!(container_id(&Pod::default()), None);
    }

    #[test]
    fn a_node_is_reached_inside_its_network() {
        let node: Node = serde_json::from_value(json!({"status": {"addresses": [
            {"type": "Hostname", "address": "n"}, {"type": "InternalIP", "address": "10.0.0.1"},
        ]}}))
        .unwrap();
        assert_eq!(address(&node), Some("10.0.0.1"));
    }
}
