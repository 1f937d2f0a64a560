//! Why a pod has no node.

use k8s_openapi::api::core::v1::Pod;

use super::{Clock, Objects, Problem, State, events, pod, thresholds};

/// Says why a pod has no node, if it has none.
pub fn state(pod: &Pod, objects: &Objects, clock: Clock) -> Option<State> {
    let name = pod.metadata.name.as_deref().unwrap_or_default();
    let condition = pod::condition(pod, "PodScheduled");
    let Some(condition) = condition.filter(|condition| condition.status == "False") else {
        let placed = pod.spec.as_ref().is_some_and(|spec| spec.node_name.is_some());
        return (!placed).then(|| State::Waiting(format!("pod `{name}` waits for a node")));
    };
    let message = condition.message.as_deref().unwrap_or_default();
    // What follows is about pods that could be pushed out: nothing a user can act on.
    let message = message.split(" no new claims to deallocate").next().unwrap_or(message);
    let message = message
        .split(" preemption:")
        .next()
        .unwrap_or(message)
        .trim_end_matches(',');
    let volume = volume_trouble(pod, objects);
    let message = &volume.map_or(message.to_owned(), |trouble| format!("{message} {trouble}"));
    let sentence = format!("pod `{name}` fits on no node: {message}");
    let uid = pod.metadata.uid.as_deref();
    // A cluster that adds nodes by itself says so.
    if events::newest(objects, uid, "TriggeredScaleUp").is_some() {
        return Some(State::Waiting(format!("{sentence} (a new node is on its way)")));
    }
    // Pods on their way out free what this one waits for.
    let leaving = |other: &&Pod| other.metadata.deletion_timestamp.is_some();
    if objects.pods.values().any(|other| leaving(&other)) {
        return Some(State::Waiting(format!("{sentence} (other pods are on their way out)")));
    }
    let limit = if volume.is_none() && passes_with_time(message) {
        thresholds::NODE_OR_VOLUME
    } else {
        thresholds::UNSCHEDULABLE
    };
    let created = pod.metadata.creation_timestamp.as_ref().map(|time| time.0);
    let since = created.into_iter().chain(Some(clock.since)).max()?;
    if clock.now.duration_since(since) < limit {
        return Some(State::Waiting(sentence));
    }
    Some(Problem::new(sentence, advice(message)).failed())
}

/// What the volume's provisioner says of the pod's claims.
fn volume_trouble<'a>(pod: &Pod, objects: &'a Objects) -> Option<&'a str> {
    let volumes = pod.spec.as_ref()?.volumes.as_ref()?;
    let claims: Vec<&str> = volumes
        .iter()
        .filter_map(|volume| Some(volume.persistent_volume_claim.as_ref()?.claim_name.as_str()))
        .collect();
    let trouble = objects.events.values().find(|event| {
        let about = &event.involved_object;
        event.reason.as_deref() == Some("ProvisioningFailed")
            && about.namespace == pod.metadata.namespace
            && about.name.as_deref().is_some_and(|name| claims.contains(&name))
    });
    trouble.map(events::message)
}

/// <https://github.com/kubernetes/kubernetes/blob/master/pkg/scheduler/framework/plugins/volumebinding/volume_binding.go>
fn passes_with_time(message: &str) -> bool {
    [
        "unbound immediate PersistentVolumeClaims",
        "node.kubernetes.io/not-ready",
        "node.kubernetes.io/unreachable",
        "not found",
        "no nodes available",
    ]
    .iter()
    .any(|part| message.contains(part))
}

fn advice(message: &str) -> &'static str {
    if message.contains("Insufficient") {
        "ask for less in `resources.requests`, run fewer replicas (`deploy-tool scale`), or add nodes"
    } else if message.contains("disk-pressure") {
        "free disk space on this host: the nodes refuse pods while the disk is nearly full"
    } else if message.contains("node affinity/selector") {
        "label a node that has the runtime as the RuntimeClass's `scheduling.nodeSelector` asks for (`runtime: crun-wasm`)"
    } else if message.contains("PersistentVolumeClaim") || message.contains("volume") {
        "look at the claims: `kubectl get persistentvolumeclaims --all-namespaces`; the cluster needs a default StorageClass"
    } else if message.contains("Too many pods") {
        "run fewer replicas (`deploy-tool scale`), or add nodes: each takes 110 pods unless set otherwise"
    } else {
        "look at the nodes: `kubectl describe nodes`"
    }
}
