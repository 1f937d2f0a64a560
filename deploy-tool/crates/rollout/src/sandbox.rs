//! What holds up a pod before its containers are there: its sandbox and its volumes.

use k8s_openapi::api::core::v1::{Event, Pod};

use crate::status::Phase;
use crate::text::contains_any;
use crate::{Clock, Diagnosis, Objects, configuration, events, pod_view, thresholds};
use diagnostics::code::rollout::{
    CONTAINER_NOT_CREATED, RUNTIME_NOT_CONFIGURED, SYSTEMD_NOT_REACHED, VOLUME_NOT_MOUNTED,
};

/// Why the kubelet cannot give a pod its volumes.
const VOLUME_REASONS: [&str; 2] = ["FailedMount", "FailedAttachVolume"];

/// Evaluates the pod's sandbox and volumes, which containers in the state ContainerCreating wait for, by the kubelet's
/// events.
pub fn evaluate(pod: &Pod, objects: &Objects, clock: Clock) -> Option<Phase> {
    let started = pod_view::condition(pod, "PodReadyToStartContainers");
    if started.is_some_and(|condition| condition.status == "True") {
        return None;
    }
    // The problem of an event before the wait may be fixed: the next attempt will show.
    let newest = |reason: &&str| {
        let event = events::newest(objects, &pod.metadata, reason)?;
        clock.is_fresh(events::last_time(event)).then_some(event)
    };
    if let Some(event) = newest(&"FailedCreatePodSandBox") {
        return Some(without_sandbox(pod, event, clock));
    }
    let newest_event = VOLUME_REASONS.iter().filter_map(newest);
    let newest_event = newest_event.max_by_key(|event| events::last_time(event));
    newest_event.map(|event| without_volume(pod, event, clock))
}

fn without_sandbox(pod: &Pod, event: &Event, clock: Clock) -> Phase {
    let (title, message, node) = (pod_view::title(pod), events::message(event), pod_view::node(pod));
    if let Some(handler) = unknown_handler(message) {
        let next = "the RuntimeClass's `handler` must be the name of a runtime in the node's containerd configuration, and \
            its `scheduling.nodeSelector` must select only nodes that have it; `deploy-tool cluster up` makes such nodes";
        let sentence = format!("{title}: containerd on node `{node}` has no runtime for the handler `{handler}`");
        return known_cause(Diagnosis::new(&RUNTIME_NOT_CONFIGURED, sentence, next), event);
    }
    if is_systemd_unreachable(message) {
        let next = format!(
            "`deploy-tool node install {node}` brings an engine that needs no D-Bus; or install and start D-Bus on the node"
        );
        let sentence =
            format!("{title}: crun on node `{node}` cannot ask systemd for a cgroup: no D-Bus daemon runs there");
        return known_cause(Diagnosis::new(&SYSTEMD_NOT_REACHED, sentence, next), event);
    }
    let sentence = format!(
        "{title} has no sandbox on node `{node}` yet: {}",
        sandbox_reason(message)
    );
    let next = format!("look at the node's network plugin and containerd: `kubectl describe node {node}`");
    let diagnosis = Diagnosis::new(&CONTAINER_NOT_CREATED, sentence, next);
    let is_late = clock.waited(pod_view::created(pod)) >= thresholds::SANDBOX;
    let waiting = diagnosis.blocked().clear(is_late);
    waiting.attempted(events::last_time(event), None).into()
}

/// The phase of a pod whose event leaves no doubt about the cause.
fn known_cause(diagnosis: Diagnosis, event: &Event) -> Phase {
    let diagnosis = diagnosis.detail(vec![format!("containerd says: {}", events::message(event))]);
    let waiting = diagnosis.blocked().clear(true);
    waiting.attempted(events::last_time(event), None).into()
}

/// The runtime's own words, without the sandbox's id, which is another one each time.
fn sandbox_reason(message: &str) -> &str {
    let message = message.split_once(" desc = ").map_or(message, |(_, reason)| reason);
    message.split_once("\": ").map_or(message, |(_, reason)| reason)
}

/// The handler that containerd does not know: `no runtime for "crun" is configured`.
/// <https://github.com/containerd/containerd/blob/main/internal/cri/config/config.go>
pub fn unknown_handler(message: &str) -> Option<&str> {
    let (_, rest) = message.split_once("no runtime for \"")?;
    let (handler, rest) = rest.split_once('"')?;
    rest.starts_with(" is configured").then_some(handler)
}

/// Whether it is crun's message on a node with the cgroup driver systemd and no D-Bus daemon.
pub fn is_systemd_unreachable(message: &str) -> bool {
    message.contains("cannot open sd-bus")
}

fn without_volume(pod: &Pod, event: &Event, clock: Clock) -> Phase {
    let (title, message) = (pod_view::title(pod), events::message(event));
    let waited = clock.waited(pod_view::created(pod));
    let last = events::last_time(event);
    if let Some(missing) = configuration::diagnose(&title, pod, message) {
        let is_late = waited >= thresholds::CONFIGURATION;
        return missing.blocked().clear(is_late).attempted(last, None).into();
    }
    // A path of the node is there or not; a disk may still hang on another node.
    let is_late = contains_any(message, &["hostpath type check failed"]) || waited >= thresholds::VOLUME;
    let next = format!(
        "correct the volume in the pod template; what happened to it: `kubectl --namespace {} describe pod {}`",
        pod_view::namespace(pod),
        pod_view::name(pod)
    );
    let node = pod_view::node(pod);
    let sentence = format!("{title} cannot have a volume on node `{node}`: {message}");
    let waiting = Diagnosis::new(&VOLUME_NOT_MOUNTED, sentence, next).blocked();
    waiting.clear(is_late).attempted(last, None).into()
}
