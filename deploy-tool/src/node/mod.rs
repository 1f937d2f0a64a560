//! Pure: Wasm on the nodes of a cluster that exists: which nodes, the installer's Jobs, what they say, which pods are in
//! the way. What happens on a node is decided by the crate `node-installer`.

mod choose;
mod job;
mod line;
mod permissions;
mod pods;
mod probe;
mod report;

use k8s_openapi::api::core::v1::Node;

use crate::settings::NODE_ENGINE_LABEL;

pub use choose::{Chosen, choose, handler};
pub use job::{Verb, job};
pub use line::{Told, told};
pub use permissions::permissions;
pub use pods::{evictable, in_the_way, wasm_pods};
pub use probe::{broken, runtime_class};
pub use report::{Report, Row, text};

/// The label that the RuntimeClass selects: `manifests/runtimeclass.yaml`.
pub const CLASS_LABEL: (&str, &str) = ("runtime", "crun-wasm");
/// Says that it was this that has cordoned a node.
pub const CORDON_ANNOTATION: &str = "deploy-tool.dev/cordoned";

/// The engine that a node is labelled with.
pub fn engine(node: &Node) -> Option<&str> {
    node.metadata
        .labels
        .as_ref()?
        .get(NODE_ENGINE_LABEL)
        .map(String::as_str)
}

/// Whether a node is labelled for Wasm pods.
pub fn is_labelled(node: &Node) -> bool {
    let (key, value) = CLASS_LABEL;
    let labels = node.metadata.labels.as_ref();
    labels.is_some_and(|labels| labels.get(key).is_some_and(|found| found == value))
}
