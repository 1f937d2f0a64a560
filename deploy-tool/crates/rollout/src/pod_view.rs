//! Getters for the fields of a pod, without any judgement.

use jiff::Timestamp;
use k8s_openapi::api::core::v1::{Container, ContainerStateTerminated, ContainerStatus, Pod, PodCondition, PodSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

/// For sentences: pod `app-1`.
pub fn title(pod: &Pod) -> String {
    format!("pod `{}`", name(pod))
}

/// The pod's name.
pub fn name(pod: &Pod) -> &str {
    pod.metadata.name.as_deref().unwrap_or_default()
}

/// The pod's namespace.
pub fn namespace(pod: &Pod) -> &str {
    pod.metadata.namespace.as_deref().unwrap_or_default()
}

/// The pod's node, for sentences.
pub fn node(pod: &Pod) -> &str {
    node_name(pod).unwrap_or("?")
}

/// The pod's node, when it has one.
pub fn node_name(pod: &Pod) -> Option<&str> {
    pod.spec.as_ref()?.node_name.as_deref()
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

/// Whether it is terminating: it has a `deletionTimestamp`.
pub fn is_leaving(pod: &Pod) -> bool {
    pod.metadata.deletion_timestamp.is_some()
}

/// Its `terminationGracePeriodSeconds`, by default 30 s.
pub fn grace(pod: &Pod) -> jiff::SignedDuration {
    let spec = pod.spec.as_ref();
    let seconds = spec.and_then(|spec| spec.termination_grace_period_seconds);
    jiff::SignedDuration::from_secs(seconds.unwrap_or(30).max(0))
}

/// Whether its containers have not all ended for good.
pub fn is_unfinished(pod: &Pod) -> bool {
    !matches!(phase(pod), Some("Failed" | "Succeeded"))
}

/// The pod's phase.
pub fn phase(pod: &Pod) -> Option<&str> {
    pod.status.as_ref()?.phase.as_deref()
}

/// One of the pod's conditions.
pub fn condition<'a>(pod: &'a Pod, kind: &str) -> Option<&'a PodCondition> {
    let conditions = pod.status.as_ref()?.conditions.as_ref()?;
    conditions.iter().find(|condition| condition.type_ == kind)
}

/// The states of the containers, and whether each is an init container that has to end before the others start. Native
/// sidecars run beside the others and count as such.
/// <https://kubernetes.io/docs/concepts/workloads/pods/sidecar-containers/>
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
    init.map(|status| (!is_sidecar(pod, &status.name), status))
        .chain(main.map(|status| (false, status)))
}

/// The spec of a container.
pub fn container<'a>(pod: &'a Pod, name: &str) -> Option<&'a Container> {
    let spec = pod.spec.as_ref()?;
    all_containers(spec).find(|container| container.name == name)
}

/// The containers of a pod's manifest, the ordinary ones first.
pub fn all_containers(spec: &PodSpec) -> impl Iterator<Item = &Container> {
    spec.containers.iter().chain(spec.init_containers.iter().flatten())
}

/// Whether a container of the manifest is a native sidecar.
pub fn is_restartable(container: &Container) -> bool {
    container.restart_policy.as_deref() == Some("Always")
}

fn is_sidecar(pod: &Pod, name: &str) -> bool {
    let spec = pod.spec.as_ref();
    let mut init = spec.into_iter().flat_map(|spec| spec.init_containers.iter().flatten());
    init.any(|container| container.name == name && is_restartable(container))
}

/// How a container ended that does not run now.
pub fn ended(status: &ContainerStatus) -> Option<&ContainerStateTerminated> {
    status.state.as_ref()?.terminated.as_ref()
}

/// How a container ended the time before.
pub fn ended_before(status: &ContainerStatus) -> Option<&ContainerStateTerminated> {
    status.last_state.as_ref()?.terminated.as_ref()
}

/// Since when a container runs.
pub fn running_since(status: &ContainerStatus) -> Option<Timestamp> {
    let running = status.state.as_ref()?.running.as_ref()?;
    running.started_at.as_ref().map(|time| time.0)
}

/// How long a container ran before it ended.
pub fn run_time(ended: &ContainerStateTerminated) -> Option<jiff::SignedDuration> {
    let (start, end) = (ended.started_at.as_ref()?, ended.finished_at.as_ref()?);
    Some(end.0.duration_since(start.0))
}

/// Whether an object belongs to another one.
pub fn is_owned_by(metadata: &ObjectMeta, uid: Option<&str>) -> bool {
    let owners = metadata.owner_references.iter().flatten();
    uid.is_some_and(|uid| owners.into_iter().any(|owner| owner.uid == uid))
}
