//! The observed state of a probe's pod, and whether the probe is over.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{ContainerStateTerminated, ContainerStatus, Event, Pod};

use rollout::{is_systemd_unreachable, unknown_handler};

/// Why the kubelet does not start a container, and will not do so by trying again.
const FINAL: [&str; 8] = [
    "RunContainerError",
    "CreateContainerError",
    "CreateContainerConfigError",
    "CrashLoopBackOff",
    "ErrImageNeverPull",
    "ImagePullBackOff",
    "InvalidImageName",
    "StartError",
];

/// The observed state of a probe's pod.
#[derive(Clone, Debug, Default)]
pub struct Observed {
    /// The pod, as it was last.
    pub pod: Pod,
    /// What the kubelet and the scheduler said of it.
    pub events: Vec<Event>,
    /// The logs of its containers, by their names.
    pub logs: BTreeMap<String, String>,
    /// Why a log could not be read.
    pub log_failure: Option<String>,
}

impl Observed {
    /// A container that has ended.
    pub fn ended(&self, name: &str) -> Option<&ContainerStateTerminated> {
        let status = statuses(&self.pod).find(|status| status.name == name)?;
        status.state.as_ref()?.terminated.as_ref()
    }

    /// The first container that is not started, with the reason and the runtime's words.
    pub fn refused(&self) -> Option<(&ContainerStatus, &str, &str)> {
        statuses(&self.pod).find_map(|status| {
            let (reason, message) = start_failure(status)?;
            Some((status, reason, message))
        })
    }

    /// Whether the kubelet came as far as its containers.
    pub fn has_started(&self) -> bool {
        statuses(&self.pod).any(|status| status.container_id.as_deref().is_some_and(|id| !id.is_empty()))
    }

    /// The messages of events, the newest last.
    pub fn warnings(&self) -> impl Iterator<Item = &str> {
        let warnings = self
            .events
            .iter()
            .filter(|event| event.type_.as_deref() == Some("Warning"));
        warnings.filter_map(|event| event.message.as_deref())
    }
}

/// Whether a probe has ended or cannot start.
pub fn is_over<'e>(pod: &Pod, mut events: impl Iterator<Item = &'e Event>) -> bool {
    let phase = pod.status.as_ref().and_then(|status| status.phase.as_deref());
    // The pod counts as ended only when its last container has: SIGTERM may take its time.
    let runs = |status: &ContainerStatus| status.state.as_ref().is_some_and(|state| state.running.is_some());
    let ended = matches!(phase, Some("Succeeded" | "Failed")) && !statuses(pod).any(runs);
    let no_sandbox = |event: &Event| {
        let message = event.message.as_deref();
        message.is_some_and(|text| unknown_handler(text).is_some() || is_systemd_unreachable(text))
    };
    ended || statuses(pod).any(|status| start_failure(status).is_some()) || events.any(no_sandbox)
}

/// The reason and message of a container that cannot be started, if the kubelet reports one.
fn start_failure(status: &ContainerStatus) -> Option<(&str, &str)> {
    let now = status.state.as_ref()?;
    let waiting = now.waiting.as_ref();
    let reason = waiting
        .and_then(|waiting| waiting.reason.as_deref())
        .or(now.terminated.as_ref().and_then(|ended| ended.reason.as_deref()))?;
    let before = status.last_state.as_ref().and_then(|state| state.terminated.as_ref());
    let ended = now.terminated.as_ref().or(before);
    let message = ended
        .and_then(|ended| ended.message.as_deref())
        .or(waiting.and_then(|waiting| waiting.message.as_deref()));
    FINAL.contains(&reason).then(|| (reason, message.unwrap_or_default()))
}

/// The states of all containers.
fn statuses(pod: &Pod) -> impl Iterator<Item = &ContainerStatus> {
    let status = pod.status.as_ref();
    let init = status.and_then(|status| status.init_container_statuses.as_ref());
    let others = status.and_then(|status| status.container_statuses.as_ref());
    init.into_iter().flatten().chain(others.into_iter().flatten())
}
