//! The check “RuntimeClass”: it exists, names a handler, and selects nodes.

use k8s_openapi::api::node::v1::RuntimeClass;

use super::Verdict;
use diagnostics::Error;
use diagnostics::code::doctor::RUNTIME_CLASS;

/// The RuntimeClass that is there.
pub fn describe(class: &RuntimeClass) -> Verdict {
    let labels = labels(class);
    let nodes = if labels.is_empty() {
        "every node is said to have it (no `scheduling.nodeSelector`)".to_owned()
    } else {
        format!("nodes with {} have it", labels.join(", "))
    };
    Verdict::Healthy(format!("handler `{}`; {nodes}", class.handler))
}

/// The one that is not; `others` are those that are.
pub fn missing(name: &str, others: &[String]) -> Verdict {
    let known = if others.is_empty() {
        "the cluster has none".to_owned()
    } else {
        format!("the cluster has: {}", others.join(", "))
    };
    Verdict::Broken(
        Error::cluster(format!("there is no RuntimeClass `{name}`"))
            .code(&RUNTIME_CLASS)
            .cause(known)
            .hint(format!(
                "apply one (`apiVersion: node.k8s.io/v1`, `kind: RuntimeClass`, `metadata.name: {name}`, `handler: crun`), or \
                 name another with --runtime-class"
            )),
    )
}

/// The labels of nodes that have the handler, as people write them.
pub fn labels(class: &RuntimeClass) -> Vec<String> {
    let scheduling = class.scheduling.as_ref();
    let selector = scheduling.and_then(|scheduling| scheduling.node_selector.as_ref());
    let pairs = selector.into_iter().flatten();
    pairs.map(|(key, value)| format!("{key}={value}")).collect()
}
