//! Why a pod has no node.

use jiff::Timestamp;
use k8s_openapi::api::core::v1::{Pod, PodSpec};

use crate::status::Phase;
use crate::text::contains_any;
use crate::{Clock, Diagnosis, Objects, events, pod_view, pvc, thresholds};
use diagnostics::code::rollout::{SCHEDULING_GATED, UNSCHEDULABLE};

/// What those write who add nodes by themselves: the cluster autoscaler, and Karpenter.
const NODE_COMES: [&str; 2] = ["TriggeredScaleUp", "Nominated"];

/// Evaluates why a pod is not scheduled; none if it has a node.
pub fn evaluate(pod: &Pod, objects: &Objects, clock: Clock) -> Option<Phase> {
    let title = pod_view::title(pod);
    let condition = pod_view::condition(pod, "PodScheduled");
    let Some(condition) = condition.filter(|condition| condition.status == "False") else {
        return pod_view::node_name(pod)
            .is_none()
            .then(|| Phase::in_progress(format!("{title} waits for a node")));
    };
    if condition.reason.as_deref() == Some("SchedulingGated") {
        return Some(evaluate_gates(pod, &title));
    }
    let message = condition.message.as_deref().unwrap_or_default();
    let verdict = Verdict::parse(message);
    let sentence = format!("{title} fits on no node: {}", verdict.reason);
    if has_scale_up(pod, objects, clock) {
        return Some(Phase::in_progress(format!("{sentence} (a new node is on its way)")));
    }
    let waited = clock.waited(pod_view::created(pod));
    if let Some((claim, problem)) = find_claim_problem(pod, objects) {
        let start = format!("{title} has no node, since its PersistentVolumeClaim `{claim}` gets no volume");
        let diagnosis = pvc::diagnose(&start, pod_view::namespace(pod), claim, problem);
        return Some(diagnosis.blocked().clear(waited >= thresholds::CLAIM).into());
    }
    // Terminating pods may free the resources that this one waits for.
    let may_free_resources = |last: Timestamp| clock.age(last) < thresholds::LEAVING;
    if !verdict.final_for_all && clock.last_deletion.is_some_and(may_free_resources) {
        return Some(Phase::in_progress(format!("{sentence} (other pods are being deleted)")));
    }
    let limit = if contains_any(verdict.reason, &PASSES_WITH_TIME) {
        thresholds::NODE_OR_VOLUME
    } else {
        thresholds::UNSCHEDULABLE
    };
    let waiting = diagnose(pod, &title, &verdict).blocked().with_reason(sentence);
    // The scheduler looks again whenever something changes.
    Some(waiting.clear(waited >= limit).attempted(Some(clock.now), None).into())
}

/// Whether an autoscaler has announced a node for this pod, and may still be creating it.
pub fn has_scale_up(pod: &Pod, objects: &Objects, clock: Clock) -> bool {
    let times = NODE_COMES
        .iter()
        .filter_map(|reason| events::newest(objects, &pod.metadata, reason))
        .filter_map(events::last_time);
    times.max().is_some_and(|last| clock.age(last) < thresholds::NODE_COMES)
}

/// <https://kubernetes.io/docs/concepts/scheduling-eviction/pod-scheduling-readiness/>
fn evaluate_gates(pod: &Pod, title: &str) -> Phase {
    let gates = pod.spec.iter().flat_map(|spec| spec.scheduling_gates.iter().flatten());
    let gates: Vec<&str> = gates.map(|gate| gate.name.as_str()).collect();
    let sentence = format!("{title} is held by its scheduling gates: {}", gates.join(", "));
    let next = "whoever sets a gate takes it away, such as a queue of jobs: look whether that controller runs";
    Diagnosis::new(&SCHEDULING_GATED, sentence, next).blocked().into()
}

fn diagnose(pod: &Pod, title: &str, verdict: &Verdict) -> Diagnosis {
    if contains_any(verdict.reason, &["persistentvolumeclaim"]) {
        let name = claims(pod).next().unwrap_or_default();
        let start = format!("{title} fits on no node");
        return pvc::diagnose(&start, pod_view::namespace(pod), name, verdict.reason);
    }
    let causes = verdict.causes();
    let (nodes, lines) = (verdict.nodes, causes.len());
    let sentence = match nodes {
        Some(nodes) if lines > 0 => format!("{title} fits on none of {nodes} nodes"),
        _ => format!("{title} fits on no node: {}", verdict.reason),
    };
    Diagnosis::new(&UNSCHEDULABLE, sentence, advice(pod, verdict.reason)).detail(causes)
}

/// The scheduler's sentence, taken apart.
/// <https://github.com/kubernetes/kubernetes/blob/master/pkg/scheduler/framework/types.go> (FitError)
struct Verdict<'a> {
    /// Out of how many nodes.
    nodes: Option<u32>,
    /// Why, without what follows about pods that could be pushed out: nothing a user can act on.
    reason: &'a str,
    /// The scheduler reports for every node that preemption would not help.
    final_for_all: bool,
}

impl<'a> Verdict<'a> {
    fn parse(message: &'a str) -> Self {
        let (reason, preemption) = match message.split_once(" preemption:") {
            Some((reason, preemption)) => (reason, preemption),
            None => (message, ""),
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

/// A PersistentVolumeClaim of the pod that is not bound, and the provisioner's message.
fn find_claim_problem<'a>(pod: &'a Pod, objects: &'a Objects) -> Option<(&'a str, &'a str)> {
    let namespace = pod.metadata.namespace.as_deref()?;
    claims(pod).find_map(|name| Some((name, pvc::provisioner_error(objects, namespace, name)?)))
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

fn advice(pod: &Pod, message: &str) -> String {
    let fixed = if message.contains("Insufficient") {
        "ask for less in `resources.requests`, run fewer replicas (`deploy-tool scale`), or add nodes; what is taken: \
         `kubectl describe nodes`"
    } else if message.contains("disk-pressure") {
        "free disk space on this host: the nodes refuse pods while the disk is nearly full"
    } else if message.contains("node affinity/selector") {
        return pod.spec.as_ref().map_or(String::new(), label_advice);
    } else if message.contains("Too many pods") {
        "run fewer replicas (`deploy-tool scale`), or add nodes: each takes 110 pods unless set otherwise"
    } else {
        "look at the nodes: `kubectl describe nodes`"
    };
    fixed.to_owned()
}

/// Advice about the labels that the pod requires. The nodeSelector of its RuntimeClass is merged into its own.
/// <https://kubernetes.io/docs/concepts/containers/runtime-class/#scheduling>
fn label_advice(spec: &PodSpec) -> String {
    let selector = spec.node_selector.iter().flatten();
    let labels: Vec<String> = selector.map(|(key, value)| format!("{key}={value}")).collect();
    let class = match &spec.runtime_class_name {
        Some(class) => format!(" (it may come from the RuntimeClass `{class}`, for nodes that have its runtime)"),
        None => String::new(),
    };
    if labels.is_empty() {
        return "no node has the labels that the pod's `affinity.nodeAffinity` requires: label one, or require less; \
                what they have: `kubectl get nodes --show-labels`"
            .to_owned();
    }
    format!(
        "label a node as the pod's `nodeSelector` asks for{class}: `kubectl label node NODE {}`, or correct the selector; \
         what the nodes have: `kubectl get nodes --show-labels`",
        labels.join(" ")
    )
}
