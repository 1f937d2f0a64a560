//! How far a pod is.

use jiff::SignedDuration;
use k8s_openapi::api::core::v1::{ContainerStatus, Pod};

use crate::presence::{self, Presence};
use crate::probe::{self, Database};
use crate::status::{Phase, ReadyCount, RolloutStatus};
use crate::{Clock, Diagnosis, Objects, Target, container, dapr, pod_view, sandbox, scheduling, settle};
use diagnostics::code::rollout::POD_FAILED;

/// A pod that is a target itself, without a controller.
pub fn evaluate_target(target: &Target, objects: &Objects, clock: Clock) -> RolloutStatus {
    let pod = match presence::find(target, objects.pods.get(&target.key()), clock) {
        Presence::Present(pod) => pod,
        Presence::Absent(phase) => return target.status(None, phase),
    };
    let phase = match pod_view::phase(pod) {
        Some("Succeeded") => Phase::done_with_note("complete"),
        Some("Failed") => failed(pod, objects, clock),
        _ => evaluate(pod, objects, None, SignedDuration::ZERO, clock),
    };
    let is_done = matches!(phase, Phase::Done(_));
    target.status(Some(ReadyCount::new(i32::from(is_done), 1)), phase)
}

/// The phase of a failed pod without a controller, which is not created again.
fn failed(pod: &Pod, objects: &Objects, clock: Clock) -> Phase {
    let parts =
        pod_view::containers(pod).filter_map(|(init, status)| container::evaluate(pod, status, init, objects, clock));
    match Phase::of_parts(parts, true) {
        Phase::Failed(diagnosis) => Phase::Failed(diagnosis),
        Phase::Waiting(waiting) if waiting.diagnosis.is_some() => {
            waiting.diagnosis.map_or(Phase::DONE, Diagnosis::failed)
        }
        Phase::Waiting(_) | Phase::Done(_) => {
            let status = pod.status.as_ref();
            let reason = status
                .and_then(|status| status.reason.as_deref())
                .unwrap_or("no reason is given");
            let message = status.and_then(|status| status.message.as_deref()).unwrap_or_default();
            let sentence = format!("{} has failed: {reason} {message}", pod_view::title(pod));
            let next = "a pod without a controller is not made again: delete it, then run the same command again";
            Diagnosis::new(&POD_FAILED, sentence.trim_end(), next).failed()
        }
    }
}

/// How far a pod is, of a controller or not. `min_ready`: its controller's `minReadySeconds`.
pub fn evaluate(
    pod: &Pod,
    objects: &Objects,
    database: Option<&Database>,
    min_ready: SignedDuration,
    clock: Clock,
) -> Phase {
    // A pod stays as it was made: another one may be made when the injector is back.
    if let Some(diagnosis) = dapr::missing(pod) {
        return diagnosis.blocked().clear(true).into();
    }
    if pod_view::is_ready(pod) {
        return settle::evaluate(pod, objects, min_ready, clock);
    }
    if let Some(phase) = scheduling::evaluate(pod, objects, clock) {
        return phase;
    }
    let parts: Vec<Phase> = pod_view::containers(pod)
        .filter(|(_, status)| !is_waiting_for_init(status))
        .filter_map(|(init, status)| container::evaluate(pod, status, init, objects, clock))
        .collect();
    if parts.is_empty() {
        let held = sandbox::evaluate(pod, objects, clock);
        return held.unwrap_or_else(|| probe::not_ready(pod, objects, database, clock));
    }
    // The most relevant container decides for the pod: the others may wait for it.
    match Phase::of_parts(parts, true) {
        Phase::Waiting(waiting) if waiting.diagnosis.is_none() => {
            sandbox::evaluate(pod, objects, clock).unwrap_or(Phase::Waiting(waiting))
        }
        phase => phase,
    }
}

/// Whether a container waits for the init containers: they have the reason then.
fn is_waiting_for_init(status: &ContainerStatus) -> bool {
    let waiting = status.state.as_ref().and_then(|state| state.waiting.as_ref());
    waiting.and_then(|waiting| waiting.reason.as_deref()) == Some("PodInitializing")
}
