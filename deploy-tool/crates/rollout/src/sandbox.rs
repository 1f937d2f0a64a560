//! What holds up a pod before its containers are there: its sandbox and its volumes.

use k8s_openapi::api::core::v1::{Event, Pod};

use super::{Clock, Objects, Problem, State, container, events, pod, says, thresholds};
use diagnostics::code::rollout::{
    CONTAINER_NOT_CREATED, RUNTIME_NOT_CONFIGURED, SYSTEMD_NOT_REACHED, VOLUME_NOT_MOUNTED,
};

/// Why the kubelet cannot give a pod its volumes.
const VOLUME_TROUBLE: [&str; 2] = ["FailedMount", "FailedAttachVolume"];

/// Containers that are being created wait for the pod's sandbox: the kubelet's events say what holds it up. `reason` is
/// for when there is none.
pub fn state(pod: &Pod, objects: &Objects, reason: String, clock: Clock) -> State {
    let started = pod::condition(pod, "PodReadyToStartContainers").is_some_and(|condition| condition.status == "True");
    if started {
        return State::Waiting(reason);
    }
    if let Some(event) = events::newest(objects, &pod.metadata, "FailedCreatePodSandBox") {
        return no_sandbox(pod, event, clock);
    }
    let trouble = VOLUME_TROUBLE
        .iter()
        .filter_map(|reason| events::newest(objects, &pod.metadata, reason))
        .max_by_key(|event| events::last_time(event));
    match trouble {
        Some(event) => no_volume(pod, event, clock),
        None => State::Waiting(reason),
    }
}

fn no_sandbox(pod: &Pod, event: &Event, clock: Clock) -> State {
    let (title, message, node) = (pod::title(pod), events::message(event), pod::node(pod));
    if let Some(handler) = unknown_handler(message).filter(|_| is_fresh(event, clock)) {
        let next = "the RuntimeClass's `handler` must be the name of a runtime in the node's containerd configuration, and \
            its `scheduling.nodeSelector` must select only nodes that have it; `deploy-tool cluster up` makes such nodes";
        let sentence = format!("{title}: containerd on node `{node}` has no runtime for the handler `{handler}`");
        return Problem::new(&RUNTIME_NOT_CONFIGURED, sentence, next)
            .showing(vec![format!("containerd says: {message}")])
            .failed();
    }
    if cannot_ask_systemd(message) && is_fresh(event, clock) {
        let next = format!(
            "`deploy-tool node install {node}` brings an engine that needs no D-Bus; or install and start D-Bus on the node"
        );
        let sentence =
            format!("{title}: crun on node `{node}` cannot ask systemd for a cgroup: no D-Bus daemon runs there");
        return Problem::new(&SYSTEMD_NOT_REACHED, sentence, next)
            .showing(vec![format!("containerd says: {message}")])
            .failed();
    }
    let sentence = format!(
        "{title} has no sandbox on node `{node}` yet: {}",
        sandbox_reason(message)
    );
    if lasts(pod, clock) < thresholds::SANDBOX || !is_fresh(event, clock) {
        return State::Waiting(sentence);
    }
    let next = format!("look at the node's network plugin and containerd: `kubectl describe node {node}`");
    Problem::new(&CONTAINER_NOT_CREATED, sentence, next).failed()
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

/// What crun says where systemd has the cgroups and no D-Bus daemon runs.
pub fn cannot_ask_systemd(message: &str) -> bool {
    message.contains("cannot open sd-bus")
}

fn no_volume(pod: &Pod, event: &Event, clock: Clock) -> State {
    let (title, message) = (pod::title(pod), events::message(event));
    let sentence = format!("{title} waits for a volume: {message}");
    let fresh = is_fresh(event, clock);
    if let Some(problem) = container::missing_configuration(&title, pod, message) {
        let late = lasts(pod, clock) >= thresholds::CONFIGURATION;
        return if fresh && late {
            problem.failed()
        } else {
            State::Waiting(sentence)
        };
    }
    // A path of the node is there or not; a disk may still hang on another node.
    let for_good = says(message, &["hostpath type check failed"]);
    let decided = fresh && (for_good || lasts(pod, clock) >= thresholds::VOLUME);
    if !decided {
        return State::Waiting(sentence);
    }
    let next = format!(
        "correct the volume in the pod template; what happened to it: `kubectl --namespace {} describe pod {}`",
        pod.metadata.namespace.as_deref().unwrap_or_default(),
        pod.metadata.name.as_deref().unwrap_or_default()
    );
    let node = pod::node(pod);
    let sentence = format!("{title} cannot have a volume on node `{node}`: {message}");
    Problem::new(&VOLUME_NOT_MOUNTED, sentence, next).failed()
}

/// An old event may tell of what has been put right: the next attempt will show.
fn is_fresh(event: &Event, clock: Clock) -> bool {
    events::last_time(event).is_some_and(|last| last >= clock.since)
}

/// How long the pod has been waited for.
fn lasts(pod: &Pod, clock: Clock) -> jiff::SignedDuration {
    let since = pod::created(pod).into_iter().chain(Some(clock.since)).max();
    clock.now.duration_since(since.unwrap_or(clock.since))
}
