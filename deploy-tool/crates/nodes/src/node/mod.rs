//! Pure: installs Wasm on the nodes of an existing cluster: selects nodes, makes the Jobs of the installer, reads their
//! logs, and selects the pods to evict. The changes on a node are those of the crate `node-installer`.

mod choose;
mod job;
mod line;
mod outcome;
mod permissions;
mod pods;
mod probe;
mod report;

use k8s_openapi::api::core::v1::Node;

use crate::NODE_ENGINE_LABEL;

pub use choose::{Chosen, choose, handler, image};
pub use job::{job, job_deadline};
pub use line::{InstallerReport, parse_log};
pub use node_protocol::Verb;
pub use outcome::{FinalState, Outcome, final_state};
pub use permissions::permissions;
pub use pods::{AllowedLosses, evictable, eviction, explain_wasm_pods, refuse_losses, wasm_pods};
pub use probe::{probe_failure, runtime_class};
pub use report::{Report, Row, text};

/// The label that the RuntimeClass selects: `manifests/runtimeclass.yaml`.
pub const CLASS_LABEL: (&str, &str) = ("runtime", "crun-wasm");
/// Marks a node that was cordoned by this tool.
pub const CORDON_ANNOTATION: &str = "deploy-tool.dev/cordoned";

/// The engine that a node is labelled with.
pub fn engine(node: &Node) -> Option<&str> {
    node.metadata
        .labels
        .as_ref()?
        .get(NODE_ENGINE_LABEL)
        .map(String::as_str)
}

/// Whether a run that was cut off has cordoned a node.
pub fn is_cordoned(node: &Node) -> bool {
    let annotations = node.metadata.annotations.as_ref();
    annotations.is_some_and(|annotations| annotations.contains_key(CORDON_ANNOTATION))
}

/// Whether a node is labelled for Wasm pods with this engine, and no run was cut off that has cordoned it.
pub fn is_open(node: &Node, version: Option<&str>) -> bool {
    let (key, value) = CLASS_LABEL;
    let labels = node.metadata.labels.as_ref();
    let is_labelled = labels.is_some_and(|labels| labels.get(key).is_some_and(|found| found == value));
    is_labelled && engine(node) == version && !is_cordoned(node)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_node_is_open_when_nothing_is_left_to_do() {
        let node = |metadata| -> Node { serde_json::from_value(json!({"metadata": metadata})).unwrap() };
        let labels = json!({"runtime": "crun-wasm", "wasm-engine": "1"});
        assert!(is_open(&node(json!({"labels": labels})), Some("1")));
        let cordoned = json!({"labels": labels, "annotations": {CORDON_ANNOTATION: "node"}});
        for (node, version) in [
            (node(json!({"labels": labels})), Some("2")),
            (node(json!({"labels": {"wasm-engine": "1"}})), Some("1")),
            (node(cordoned), Some("1")),
        ] {
            assert!(!is_open(&node, version), "{node:?}");
        }
    }
}
