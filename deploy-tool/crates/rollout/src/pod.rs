//! How far a pod is.

use jiff::Timestamp;
use k8s_openapi::api::core::v1::{ContainerStatus, Pod};

use super::{Clock, Objects, Problem, State, Target, container, finalizer, probe, sandbox, scheduling};

/// The database behind a pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Database {
    /// It is not ready yet, and why.
    NotReady(String),
    /// It will not become ready, and why.
    Broken(Box<Problem>),
    /// It is ready, and since when.
    ReadySince(Option<Timestamp>),
}

/// A pod that is a target itself, without a controller.
pub fn bare(target: &Target, objects: &Objects, clock: Clock) -> State {
    let title = target.title();
    let Some(pod) = objects.pods.get(&target.key()) else {
        return State::Waiting(format!("{title} is not there yet"));
    };
    if let Some(state) = finalizer::state(&title, &pod.metadata, clock) {
        return state;
    }
    match phase(pod) {
        Some("Succeeded") => State::Done(format!("{title} is complete")),
        _ => match state(pod, objects, &None, clock) {
            State::Done(_) => State::Done(format!("{title} is ready")),
            state => state,
        },
    }
}

pub fn state(pod: &Pod, objects: &Objects, database: &Option<Database>, clock: Clock) -> State {
    if is_ready(pod) {
        return State::Done(format!("{} is ready", title(pod)));
    }
    if let Some(state) = scheduling::state(pod, objects, clock) {
        return state;
    }
    let mut waiting = None;
    for (init, status) in containers(pod) {
        match container::state(pod, status, init, objects, clock) {
            Some(State::Failed(problem)) => return State::Failed(problem),
            Some(State::Waiting(reason)) => waiting = waiting.or(Some(reason)),
            Some(State::Done(_)) | None => {}
        }
    }
    match waiting {
        Some(reason) => sandbox::state(pod, objects, reason, clock),
        None => probe::not_ready(pod, objects, database, clock),
    }
}

/// For sentences: pod `app-1`.
pub fn title(pod: &Pod) -> String {
    format!("pod `{}`", pod.metadata.name.as_deref().unwrap_or_default())
}

/// The pod's node, for sentences.
pub fn node(pod: &Pod) -> &str {
    pod.spec
        .as_ref()
        .and_then(|spec| spec.node_name.as_deref())
        .unwrap_or("?")
}

/// Whether the pod's Ready condition is true.
pub fn is_ready(pod: &Pod) -> bool {
    condition(pod, "Ready").is_some_and(|condition| condition.status == "True")
}

/// Since when the pod is ready.
pub fn ready_since(pod: &Pod) -> Option<Timestamp> {
    condition(pod, "Ready")?
        .last_transition_time
        .as_ref()
        .map(|time| time.0)
}

/// Since when the pod is there.
pub fn created(pod: &Pod) -> Option<Timestamp> {
    pod.metadata.creation_timestamp.as_ref().map(|time| time.0)
}

/// Whether its containers have not all ended for good.
pub fn is_unfinished(pod: &Pod) -> bool {
    !matches!(phase(pod), Some("Failed" | "Succeeded"))
}

fn phase(pod: &Pod) -> Option<&str> {
    pod.status.as_ref()?.phase.as_deref()
}

pub fn condition<'a>(pod: &'a Pod, kind: &str) -> Option<&'a k8s_openapi::api::core::v1::PodCondition> {
    pod.status
        .as_ref()?
        .conditions
        .as_ref()?
        .iter()
        .find(|condition| condition.type_ == kind)
}

/// The states of the containers, and whether each is an init container.
pub fn containers(pod: &Pod) -> impl Iterator<Item = (bool, &ContainerStatus)> {
    let status = pod.status.as_ref();
    let init = status
        .and_then(|status| status.init_container_statuses.as_ref())
        .into_iter()
        .flatten();
    let main = status
        .and_then(|status| status.container_statuses.as_ref())
        .into_iter()
        .flatten();
    init.map(|status| (true, status))
        .chain(main.map(|status| (false, status)))
}

/// What the manifest says of a container.
pub fn container<'a>(pod: &'a Pod, name: &str) -> Option<&'a k8s_openapi::api::core::v1::Container> {
    let spec = pod.spec.as_ref()?;
    let init = spec.init_containers.iter().flatten();
    spec.containers
        .iter()
        .chain(init)
        .find(|container| container.name == name)
}
