//! Pods on a node that are in the way.

use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::api::node::v1::RuntimeClass;

use diagnostics::Failure;
use diagnostics::code::node::WASM_PODS;

/// How many pods are named in a message.
const MOST_NAMED: usize = 5;

/// The pods among those of a node that run by a handler.
pub fn wasm_pods(pods: Vec<Pod>, classes: &[RuntimeClass], handler: &str) -> Vec<Pod> {
    let is_of_handler = |pod: &Pod| {
        let class = pod.spec.as_ref().and_then(|spec| spec.runtime_class_name.as_ref());
        classes
            .iter()
            .any(|one| one.handler == handler && one.metadata.name.as_ref() == class)
    };
    pods.into_iter()
        .filter(|pod| !is_over(pod) && is_of_handler(pod))
        .collect()
}

/// The pods that an eviction moves to other nodes: not those of DaemonSets, which stay with the node, and those that the
/// kubelet has from a file. As `kubectl drain --ignore-daemonsets` decides it.
pub fn evictable(pods: Vec<Pod>) -> Vec<Pod> {
    let stays = |pod: &Pod| {
        let owners = pod.metadata.owner_references.iter().flatten();
        let of_file = pod
            .metadata
            .annotations
            .as_ref()
            .is_some_and(|all| all.contains_key("kubernetes.io/config.mirror"));
        of_file
            || owners
                .into_iter()
                .any(|owner| owner.kind == "DaemonSet" && owner.controller == Some(true))
    };
    pods.into_iter().filter(|pod| !is_over(pod) && !stays(pod)).collect()
}

fn is_over(pod: &Pod) -> bool {
    let phase = pod.status.as_ref().and_then(|status| status.phase.as_deref());
    matches!(phase, Some("Succeeded" | "Failed"))
}

/// Wasm pods run on a node whose engine is to go.
pub fn in_the_way(node: &str, pods: &[Pod]) -> Failure {
    let title = |pod: &Pod| {
        let part = |text: &Option<String>| text.clone().unwrap_or_default();
        format!("{}/{}", part(&pod.metadata.namespace), part(&pod.metadata.name))
    };
    let named: Vec<String> = pods.iter().take(MOST_NAMED).map(title).collect();
    let more = match pods.len().saturating_sub(MOST_NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    Failure::cluster(format!("Wasm pods run on node `{node}`"))
        .code(&WASM_PODS)
        .because(format!("they need the engine to end, too: {}{more}", named.join(", ")))
        .next("have them moved to other nodes: --drain; or delete them")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn pod(name: &str, class: Option<&str>, more: Value) -> Pod {
        let mut pod = json!({"metadata": {"name": name, "namespace": "x"}, "spec": {"containers": [], "runtimeClassName": class},
            "status": {"phase": "Running"}});
        for (key, value) in more.as_object().unwrap() {
            pod[key.as_str()]
                .as_object_mut()
                .unwrap()
                .extend(value.as_object().unwrap().clone());
        }
        serde_json::from_value(pod).unwrap()
    }

    fn names(pods: &[Pod]) -> Vec<&str> {
        pods.iter().map(|pod| pod.metadata.name.as_deref().unwrap()).collect()
    }

    #[test]
    fn pods_are_told_apart_by_their_class_and_their_owner() {
        let class = |name: &str, handler: &str| -> RuntimeClass {
            serde_json::from_value(json!({"metadata": {"name": name}, "handler": handler})).unwrap()
        };
        let classes = [class("crun-wasm", "crun"), class("other", "runsc")];
        let owned = json!({"metadata": {"ownerReferences": [
            {"apiVersion": "apps/v1", "kind": "DaemonSet", "name": "d", "uid": "1", "controller": true},
        ]}});
        let mirrored = json!({"metadata": {"annotations": {"kubernetes.io/config.mirror": "1"}}});
        let pods = vec![
            pod("wasm", Some("crun-wasm"), json!({})),
            pod("over", Some("crun-wasm"), json!({"status": {"phase": "Succeeded"}})),
            pod("other", Some("other"), json!({})),
            pod("plain", None, json!({})),
            pod("daemon", None, owned),
            pod("static", None, mirrored),
        ];
        assert_eq!(names(&wasm_pods(pods.clone(), &classes, "crun")), ["wasm"]);
        assert_eq!(names(&evictable(pods.clone())), ["wasm", "other", "plain"]);
        let failure = in_the_way("one", &pods).to_string();
        assert!(
            failure.contains("x/wasm, x/over") && failure.contains("and 1 more"),
            "{failure}"
        );
    }
}
