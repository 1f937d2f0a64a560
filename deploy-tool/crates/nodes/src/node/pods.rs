//! Pods on a node that are in the way.

use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::api::node::v1::RuntimeClass;
use k8s_openapi::api::policy::v1::Eviction;
use kube::ResourceExt;
use serde_json::json;

use diagnostics::code::node::{DRAIN, WASM_PODS};
use diagnostics::{Error, Result};

/// How many pods are named in a message.
const MOST_NAMED: usize = 5;

/// The pods among those of a node that run by a handler.
pub fn wasm_pods(pods: Vec<Pod>, classes: &[RuntimeClass], handler: &str) -> Vec<Pod> {
    let is_of_handler = |pod: &Pod| {
        let class = pod.spec.as_ref().and_then(|spec| spec.runtime_class_name.as_ref());
        classes
            .iter()
            .any(|runtime_class| runtime_class.handler == handler && runtime_class.metadata.name.as_ref() == class)
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

/// Which losses by an eviction the user has accepted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AllowedLosses {
    /// Pods that nothing starts again.
    pub bare_pods: bool,
    /// The data in `emptyDir` volumes.
    pub empty_dirs: bool,
}

/// Refuses to evict pods of which something would be lost that was not asked for. As `kubectl drain` decides it.
///
/// # Errors
/// When there is such a pod: which, and why.
pub fn refuse_losses(node: &str, pods: &[Pod], allowed: AllowedLosses) -> Result<()> {
    let is_bare = |pod: &&Pod| {
        let owners = pod.metadata.owner_references.iter().flatten();
        owners.into_iter().all(|owner| owner.controller != Some(true))
    };
    let has_data = |pod: &&Pod| {
        let volumes = pod.spec.iter().flat_map(|spec| spec.volumes.iter().flatten());
        volumes.into_iter().any(|volume| volume.empty_dir.is_some())
    };
    let select = |is_lost: &dyn Fn(&&Pod) -> bool, is_allowed: bool| -> Vec<Pod> {
        let lost = pods.iter().filter(|pod| !is_allowed && is_lost(pod));
        lost.cloned().collect()
    };
    let (bare, data) = (
        select(&is_bare, allowed.bare_pods),
        select(&has_data, allowed.empty_dirs),
    );
    if bare.is_empty() && data.is_empty() {
        return Ok(());
    }
    let mut failure =
        Error::cluster(format!("not all pods of node `{node}` can be evicted without a loss")).code(&DRAIN);
    if !bare.is_empty() {
        failure = failure
            .cause(format!("nothing starts these again: {}", titles(&bare)))
            .hint("delete them, or have them evicted: --force");
    }
    if !data.is_empty() {
        failure = failure
            .cause(format!("these have data in emptyDir volumes: {}", titles(&data)))
            .hint("save what is needed, and have it deleted: --delete-emptydir-data");
    }
    Err(failure)
}

/// The Eviction of a pod, with its uid: a newer pod of the same name is not evicted.
///
/// # Errors
/// Never: a test makes one.
pub fn eviction(pod: &Pod) -> Result<Eviction, serde_json::Error> {
    serde_json::from_value(json!({
        "metadata": {"name": pod.name_any(), "namespace": pod.namespace()},
        "deleteOptions": {"preconditions": {"uid": pod.uid()}},
    }))
}

fn is_over(pod: &Pod) -> bool {
    let phase = pod.status.as_ref().and_then(|status| status.phase.as_deref());
    matches!(phase, Some("Succeeded" | "Failed"))
}

/// Wasm pods run on a node whose engine is to go.
pub fn explain_wasm_pods(node: &str, pods: &[Pod]) -> Error {
    Error::cluster(format!("Wasm pods run on node `{node}`"))
        .code(&WASM_PODS)
        .cause(format!("they need the engine to end, too: {}", titles(pods)))
        .hint("have them moved to other nodes: --drain; or delete them")
}

/// The first few by their names.
fn titles(pods: &[Pod]) -> String {
    let title = |pod: &Pod| format!("{}/{}", pod.namespace().unwrap_or_default(), pod.name_any());
    let named: Vec<String> = pods.iter().take(MOST_NAMED).map(title).collect();
    let more = match pods.len().saturating_sub(MOST_NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!("{}{more}", named.join(", "))
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
        let failure = explain_wasm_pods("one", &pods).to_string();
        assert!(
            failure.contains("x/wasm, x/over") && failure.contains("and 1 more"),
            "{failure}"
        );
    }
    #[test]
    fn nothing_is_lost_that_was_not_asked_for() {
        let owned = json!({"metadata": {"ownerReferences": [
            {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "r", "uid": "1", "controller": true},
        ]}});
        // An owner reference without `controller: true` is no controller.
        let referring = json!({"metadata": {"ownerReferences": [
            {"apiVersion": "v1", "kind": "Node", "name": "n", "uid": "1"},
        ]}});
        let data = json!({"metadata": owned["metadata"], "spec": {"volumes": [{"name": "d", "emptyDir": {}}]}});
        let harmless =
            json!({"metadata": owned["metadata"], "spec": {"volumes": [{"name": "c", "configMap": {"name": "c"}}]}});
        let pods = [
            pod("owned", None, owned),
            pod("harmless", None, harmless),
            pod("referring", None, referring),
            pod("bare", None, json!({})),
            pod("data", None, data),
        ];
        let refusal = |bare_pods, empty_dirs| {
            let allowed = AllowedLosses { bare_pods, empty_dirs };
            refuse_losses("one", &pods, allowed).map_err(|failure| failure.to_string())
        };
        let text = refusal(false, false).unwrap_err();
        assert!(text.contains("starts these again: x/referring, x/bare"), "{text}");
        assert!(
            text.contains("emptyDir volumes: x/data") && text.contains("--delete-emptydir-data"),
            "{text}"
        );
        assert!(!refusal(true, false).unwrap_err().contains("bare"));
        assert!(!refusal(false, true).unwrap_err().contains("x/data"));
        assert_eq!(refusal(true, true), Ok(()));
        assert_eq!(refuse_losses("one", &pods[..2], AllowedLosses::default()), Ok(()));
    }

    #[test]
    fn an_eviction_is_of_one_pod_and_not_of_its_name() {
        let pod = pod("db-0", None, json!({"metadata": {"uid": "u-1"}}));
        let eviction = serde_json::to_value(eviction(&pod).unwrap()).unwrap();
        assert_eq!(eviction["metadata"], json!({"name": "db-0", "namespace": "x"}));
        // The field's name is the server's: one that it does not know is no condition.
        assert_eq!(eviction["deleteOptions"]["preconditions"]["uid"], "u-1");
    }
}
