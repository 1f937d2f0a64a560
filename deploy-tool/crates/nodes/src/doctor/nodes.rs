//! The link “nodes”: at least one takes pods of the RuntimeClass.

use k8s_openapi::api::core::v1::{Node, Taint, Toleration};
use k8s_openapi::api::node::v1::RuntimeClass;

use super::{Verdict, runtime_class};
use diagnostics::Error;
use diagnostics::code::doctor::NO_NODE;

/// How many nodes are named in a sentence.
const MOST_LISTED: usize = 5;

/// Finds the nodes to be examined: all that take pods of the class, or those of `wanted`.
pub fn candidates<'n>(class: &RuntimeClass, nodes: &'n [Node], wanted: &[String]) -> (Verdict, Vec<&'n Node>) {
    let unknown = wanted
        .iter()
        .find(|wanted| nodes.iter().all(|node| name(node) != *wanted));
    if let Some(unknown) = unknown {
        let names: Vec<&str> = nodes.iter().map(name).collect();
        let failure = Error::cluster(format!("there is no node `{unknown}`"))
            .code(&NO_NODE)
            .cause(format!("the cluster has: {}", names.join(", ")));
        return (Verdict::Broken(failure), Vec::new());
    }
    let is_wanted = |node: &&Node| wanted.is_empty() || wanted.iter().any(|wanted| wanted == name(node));
    let (labelled, others): (Vec<&Node>, Vec<&Node>) =
        nodes.iter().filter(is_wanted).partition(|node| has_labels(class, node));
    let judged = labelled.iter().map(|node| (*node, obstacle(class, node)));
    let (free, held): (Vec<_>, Vec<_>) = judged.partition(|(_, obstacle)| obstacle.is_none());
    let held: Vec<String> = held
        .into_iter()
        .filter_map(|(node, obstacle)| Some(format!("{}: {}", name(node), obstacle?)))
        .collect();
    let free: Vec<&Node> = free.into_iter().map(|(node, _)| node).collect();
    // Who names a node wants to know of that one.
    let one_is_left_out = !wanted.is_empty() && free.len() < wanted.len();
    if free.is_empty() || one_is_left_out {
        return (Verdict::Broken(no_candidates(class, &others, &held)), Vec::new());
    }
    let left_out = if held.is_empty() {
        String::new()
    } else {
        format!("; left out: {}", listed(&held))
    };
    let versions: Vec<String> = free.iter().map(|node| version(node)).collect();
    let sentence = format!("{} of {}: {}{left_out}", free.len(), nodes.len(), listed(&versions));
    (Verdict::Healthy(sentence), free)
}

fn no_candidates(class: &RuntimeClass, others: &[&Node], held: &[String]) -> Error {
    let labels = runtime_class::labels(class).join(",");
    let able: Vec<&str> = others
        .iter()
        .filter(|node| offers(node, &class.handler) == Some(true))
        .map(|node| name(node))
        .collect();
    let failure = Error::cluster("no node takes pods of the RuntimeClass").code(&NO_NODE);
    if !held.is_empty() {
        return held
            .iter()
            .fold(failure, |failure, held| failure.cause(held))
            .hint("`kubectl describe node NODE` says more; `kubectl uncordon NODE` lets a node take pods again");
    }
    let failure = failure.cause(format!("none of those looked at has the labels {labels}"));
    match able.first() {
        Some(node) => failure
            .cause(format!(
                "these have the handler `{}`: {}",
                class.handler,
                able.join(", ")
            ))
            .hint(format!(
                "label them: `kubectl label node {node} {}`",
                labels.replace(',', " ")
            )),
        None => failure.hint("label the nodes that have crun with WasmEdge; `deploy-tool cluster up` makes such nodes"),
    }
}

/// The first few: a cluster may have thousands.
fn listed(all: &[String]) -> String {
    let more = all.len().saturating_sub(MOST_LISTED);
    let first = all[..all.len() - more].join(", ");
    match more {
        0 => first,
        more => format!("{first} and {more} more"),
    }
}

/// A node's name.
pub fn name(node: &Node) -> &str {
    node.metadata.name.as_deref().unwrap_or_default()
}

/// The node's processor, in the words of images.
pub fn architecture(node: &Node) -> &str {
    let info = node.status.as_ref().and_then(|status| status.node_info.as_ref());
    info.map_or("?", |info| &info.architecture)
}

fn version(node: &Node) -> String {
    let info = node.status.as_ref().and_then(|status| status.node_info.as_ref());
    let runtime = info.map_or("?", |info| &info.container_runtime_version);
    format!(
        "{} ({}, {})",
        name(node),
        architecture(node),
        runtime.replace("://", " ")
    )
}

/// Whether the runtime has the handler; none where the kubelet does not report it: before 1.30, or before containerd 2.
/// <https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/node-v1/#NodeStatus>
pub fn offers(node: &Node, handler: &str) -> Option<bool> {
    let known = node.status.as_ref()?.runtime_handlers.as_ref()?;
    (!known.is_empty()).then(|| {
        known
            .iter()
            .any(|runtime| runtime.name.as_deref().unwrap_or_default() == handler)
    })
}

fn has_labels(class: &RuntimeClass, node: &Node) -> bool {
    let selector = class
        .scheduling
        .as_ref()
        .and_then(|scheduling| scheduling.node_selector.as_ref());
    let labels = node.metadata.labels.as_ref();
    let has = |key: &String, value: &String| labels.is_some_and(|labels| labels.get(key) == Some(value));
    selector.into_iter().flatten().all(|(key, value)| has(key, value))
}

/// Why a node takes no pod of the class.
fn obstacle(class: &RuntimeClass, node: &Node) -> Option<String> {
    let conditions = node.status.as_ref().and_then(|status| status.conditions.as_ref());
    let mut conditions = conditions.into_iter().flatten();
    if !conditions.any(|condition| condition.type_ == "Ready" && condition.status == "True") {
        return Some("it is not ready".to_owned());
    }
    let spec = node.spec.as_ref()?;
    if spec.unschedulable == Some(true) {
        return Some("it is cordoned".to_owned());
    }
    let scheduling = class.scheduling.as_ref();
    let tolerations: &[Toleration] = scheduling
        .and_then(|scheduling| scheduling.tolerations.as_deref())
        .unwrap_or_default();
    let taint = spec
        .taints
        .iter()
        .flatten()
        .find(|taint| !is_tolerated(taint, tolerations))?;
    Some(format!(
        "it has the taint {}, which the RuntimeClass does not tolerate",
        taint.key
    ))
}

/// <https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/>
fn is_tolerated(taint: &Taint, tolerations: &[Toleration]) -> bool {
    let tolerates = |toleration: &Toleration| {
        let exists = toleration.operator.as_deref() == Some("Exists");
        let key = match toleration.key.as_deref().unwrap_or_default() {
            "" => exists,
            key => key == taint.key,
        };
        let value =
            exists || toleration.value.as_deref().unwrap_or_default() == taint.value.as_deref().unwrap_or_default();
        let effect = toleration
            .effect
            .as_deref()
            .is_none_or(|effect| effect.is_empty() || effect == taint.effect);
        key && value && effect
    };
    taint.effect == "PreferNoSchedule" || tolerations.iter().any(tolerates)
}
