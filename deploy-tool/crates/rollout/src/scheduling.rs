//! Why a pod has no node.

use k8s_openapi::api::core::v1::Pod;

use super::{Clock, Objects, Problem, State, claim, events, pod, says, thresholds};
use diagnostics::code::rollout::UNSCHEDULABLE;

/// What those write who add nodes by themselves: the cluster autoscaler, and Karpenter.
const NODE_COMES: [&str; 2] = ["TriggeredScaleUp", "Nominated"];

/// Says why a pod has no node, if it has none.
pub fn state(pod: &Pod, objects: &Objects, clock: Clock) -> Option<State> {
    let title = pod::title(pod);
    let condition = pod::condition(pod, "PodScheduled");
    let Some(condition) = condition.filter(|condition| condition.status == "False") else {
        let placed = pod.spec.as_ref().is_some_and(|spec| spec.node_name.is_some());
        return (!placed).then(|| State::Waiting(format!("{title} waits for a node")));
    };
    if condition.reason.as_deref() == Some("SchedulingGated") {
        return Some(State::Waiting(format!(
            "{title} waits until its scheduling gates are lifted"
        )));
    }
    let said = condition.message.as_deref().unwrap_or_default();
    let verdict = Verdict::of(said);
    let sentence = format!("{title} fits on no node: {}", verdict.reason);
    let coming = |reason: &&str| events::newest(objects, &pod.metadata, reason).is_some();
    if NODE_COMES.iter().any(coming) {
        return Some(State::Waiting(format!("{sentence} (a new node is on its way)")));
    }
    let since = pod::created(pod).into_iter().chain(Some(clock.since)).max()?;
    let waited = clock.now.duration_since(since);
    if let Some((claim, trouble)) = claim_trouble(pod, objects) {
        let namespace = pod.metadata.namespace.as_deref().unwrap_or_default();
        let start = format!("{title} has no node, since its PersistentVolumeClaim `{claim}` gets no volume");
        let problem = claim::problem(&start, namespace, claim, trouble);
        return Some(if waited < thresholds::CLAIM {
            State::Waiting(problem.sentence)
        } else {
            problem.failed()
        });
    }
    // Pods on their way out free what this one waits for.
    let leaving = |other: &Pod| other.metadata.deletion_timestamp.is_some();
    if !verdict.final_for_all && objects.pods.values().any(leaving) {
        return Some(State::Waiting(format!("{sentence} (other pods are on their way out)")));
    }
    let limit = if says(verdict.reason, &PASSES_WITH_TIME) {
        thresholds::NODE_OR_VOLUME
    } else if verdict.final_for_all {
        thresholds::UNSCHEDULABLE_FOR_GOOD
    } else {
        thresholds::UNSCHEDULABLE
    };
    if waited < limit {
        return Some(State::Waiting(sentence));
    }
    Some(problem(pod, &title, &verdict).failed())
}

fn problem(pod: &Pod, title: &str, verdict: &Verdict) -> Problem {
    if says(verdict.reason, &["persistentvolumeclaim"]) {
        let namespace = pod.metadata.namespace.as_deref().unwrap_or_default();
        let name = claims(pod).next().unwrap_or_default();
        return claim::problem(&format!("{title} fits on no node"), namespace, name, verdict.reason);
    }
    let causes = verdict.causes();
    let (nodes, lines) = (verdict.nodes, causes.len());
    let sentence = match nodes {
        Some(nodes) if lines > 0 => format!("{title} fits on none of {nodes} nodes"),
        _ => format!("{title} fits on no node: {}", verdict.reason),
    };
    Problem::new(&UNSCHEDULABLE, sentence, advice(verdict.reason)).showing(causes)
}

/// The scheduler's sentence, taken apart.
/// <https://github.com/kubernetes/kubernetes/blob/master/pkg/scheduler/framework/types.go> (FitError)
struct Verdict<'a> {
    /// Out of how many nodes.
    nodes: Option<u32>,
    /// Why, without what follows about pods that could be pushed out: nothing a user can act on.
    reason: &'a str,
    /// The scheduler says of every node that freeing what is taken would not help.
    final_for_all: bool,
}

impl<'a> Verdict<'a> {
    fn of(said: &'a str) -> Self {
        let (reason, preemption) = match said.split_once(" preemption:") {
            Some((reason, preemption)) => (reason, preemption),
            None => (said, ""),
        };
        let reason = reason.split(" no new claims to deallocate").next().unwrap_or(reason);
        let reason = reason.trim_end_matches(',').trim_end();
        let nodes = reason
            .strip_prefix("0/")
            .and_then(|rest| rest.split_whitespace().next()?.parse().ok());
        let helpless = nodes.map(|nodes: u32| format!("{nodes} Preemption is not helpful"));
        Self {
            nodes,
            reason,
            final_for_all: helpless.is_some_and(|helpless| preemption.contains(&helpless)),
        }
    }

    /// `0/3 nodes are available: 1 node(s) had untolerated taint(s), 2 Insufficient cpu.` as lines, the most nodes first.
    fn causes(&self) -> Vec<String> {
        let Some((_, list)) = self.reason.split_once(" nodes are available: ") else {
            return Vec::new();
        };
        let mut causes: Vec<(u32, String)> = Vec::new();
        for part in list.trim_end_matches('.').split(", ") {
            let counted = part
                .split_once(' ')
                .and_then(|(count, cause)| Some((count.parse().ok()?, cause)));
            match (counted, causes.last_mut()) {
                (Some((count, cause)), _) => causes.push((count, cause.replace("node(s) ", ""))),
                // A comma inside of a cause.
                (None, Some((_, cause))) => *cause = format!("{cause}, {part}"),
                (None, None) => return Vec::new(),
            }
        }
        causes.sort_by_key(|(count, _)| std::cmp::Reverse(*count));
        let line =
            |(count, cause): (u32, String)| format!("{count} {}: {cause}", if count == 1 { "node" } else { "nodes" });
        causes.into_iter().map(line).collect()
    }
}

/// The pod's claim that gets no volume, and what its provisioner says.
fn claim_trouble<'a>(pod: &'a Pod, objects: &'a Objects) -> Option<(&'a str, &'a str)> {
    let namespace = pod.metadata.namespace.as_deref()?;
    claims(pod).find_map(|name| Some((name, claim::trouble(objects, namespace, name)?)))
}

fn claims(pod: &Pod) -> impl Iterator<Item = &str> {
    let volumes = pod.spec.iter().flat_map(|spec| spec.volumes.iter().flatten());
    volumes.filter_map(|volume| Some(volume.persistent_volume_claim.as_ref()?.claim_name.as_str()))
}

/// <https://github.com/kubernetes/kubernetes/blob/master/pkg/scheduler/framework/plugins/volumebinding/volume_binding.go>
const PASSES_WITH_TIME: [&str; 4] = [
    "unbound immediate persistentvolumeclaims",
    "node.kubernetes.io/not-ready",
    "node.kubernetes.io/unreachable",
    "no nodes available",
];

fn advice(message: &str) -> &'static str {
    if message.contains("Insufficient") {
        "ask for less in `resources.requests`, run fewer replicas (`deploy-tool scale`), or add nodes; what is taken: \
         `kubectl describe nodes`"
    } else if message.contains("disk-pressure") {
        "free disk space on this host: the nodes refuse pods while the disk is nearly full"
    } else if message.contains("node affinity/selector") {
        "label a node as the pod's `nodeSelector` or its RuntimeClass's `scheduling.nodeSelector` asks for: `kubectl label \
         node NODE runtime=crun-wasm` is right for nodes that have the runtime for Wasm"
    } else if message.contains("Too many pods") {
        "run fewer replicas (`deploy-tool scale`), or add nodes: each takes 110 pods unless set otherwise"
    } else {
        "look at the nodes: `kubectl describe nodes`"
    }
}
