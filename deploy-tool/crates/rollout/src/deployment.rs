//! How far a Deployment is.

use k8s_openapi::api::apps::v1::{Deployment, ReplicaSet};
use k8s_openapi::api::core::v1::Pod;

use super::{
    Clock, Objects, Problem, State, Target, finalizer, is_owned_by, pod, refusal, stateful_set, thresholds, worst,
};
use diagnostics::code::rollout::PROGRESS_DEADLINE;

/// The Deployment controller numbers its ReplicaSets with it.
const REVISION: &str = "deployment.kubernetes.io/revision";

pub fn state(target: &Target, objects: &Objects, clock: Clock) -> State {
    let title = format!("Deployment `{}`", target.name);
    let Some(deployment) = objects.deployments.get(&target.key()) else {
        return State::Waiting(format!("{title} is not there yet"));
    };
    if let Some(state) = finalizer::state(&title, &deployment.metadata, clock) {
        return state;
    }
    let status = deployment.status.clone().unwrap_or_default();
    let generation = deployment.metadata.generation.unwrap_or(0);
    if generation < target.generation || status.observed_generation.unwrap_or(0) < generation {
        return State::Waiting(format!("{title}: its controller has not seen the change yet"));
    }
    let wanted = deployment.spec.as_ref().and_then(|spec| spec.replicas).unwrap_or(1);
    let updated = status.updated_replicas.unwrap_or(0);
    let available = status.available_replicas.unwrap_or(0);
    let all = status.replicas.unwrap_or(0);
    let replica_set = newest_replica_set(deployment, objects);
    // The controller's counts may be old while the control plane starts: the pods themselves have to be ready too.
    let pods = objects
        .pods
        .values()
        .filter(|pod| replica_set.is_some_and(|set| is_current(pod, set)));
    let pods: Vec<&Pod> = pods.collect();
    let ready_pods = pods.iter().filter(|pod| pod::is_ready(pod)).count();
    let ready_pods = i32::try_from(ready_pods).unwrap_or(i32::MAX);
    let ready = format!("{title}: {} of {wanted} ready", available.min(updated).min(ready_pods));
    if updated == wanted && all == wanted && available == wanted && ready_pods >= wanted {
        return match if target.surplus_gone {
            surplus_pods(objects, deployment, wanted)
        } else {
            0
        } {
            0 => State::Done(ready),
            surplus => State::Waiting(format!("{ready}, {surplus} terminating")),
        };
    }
    let Some(replica_set) = replica_set else {
        return State::Waiting(format!("{title}: no pods yet"));
    };
    if let Some(state) = refusal::state(objects, &replica_set.metadata, &title, clock) {
        return state;
    }
    let database = stateful_set::database_state(target, objects, clock);
    let reason = match worst(pods.iter().map(|pod| pod::state(pod, objects, &database, clock))) {
        Ok(reason) => reason,
        Err(problem) => return State::Failed(problem),
    };
    if let Some(problem) = deadline_exceeded(deployment, &title, reason.as_deref(), clock) {
        return problem.failed();
    }
    match reason {
        Some(reason) => State::Waiting(format!("{ready}; {reason}")),
        None if all > updated => State::Waiting(format!("{ready}, {} of the old revision left", all - updated)),
        None if pods.is_empty() => State::Waiting(format!("{ready}; no pods yet")),
        None => State::Waiting(format!("{ready}; its pods are not counted as available yet")),
    }
}

/// The ReplicaSet of the newest revision.
pub fn newest_replica_set<'a>(deployment: &Deployment, objects: &'a Objects) -> Option<&'a ReplicaSet> {
    let revision = deployment.metadata.annotations.as_ref()?.get(REVISION)?;
    objects.replica_sets.values().find(|set| {
        let same = set
            .metadata
            .annotations
            .as_ref()
            .is_some_and(|all| all.get(REVISION) == Some(revision));
        same && is_owned_by(&set.metadata, deployment.metadata.uid.as_deref())
    })
}

/// Pods that are being deleted have had their say.
fn is_current(pod: &Pod, replica_set: &ReplicaSet) -> bool {
    pod.metadata.deletion_timestamp.is_none() && is_owned_by(&pod.metadata, replica_set.metadata.uid.as_deref())
}

/// Pods that are there beside the wanted ones. The Deployment's own count leaves out those that are being deleted, and
/// may be known here before their deletion is: so the pods are counted, whatever they say.
fn surplus_pods(objects: &Objects, deployment: &Deployment, wanted: i32) -> usize {
    let uid = deployment.metadata.uid.as_deref();
    let sets = objects
        .replica_sets
        .values()
        .filter(|set| is_owned_by(&set.metadata, uid));
    let sets: Vec<Option<&str>> = sets.map(|set| set.metadata.uid.as_deref()).collect();
    let ours = |pod: &&Pod| sets.iter().any(|uid| is_owned_by(&pod.metadata, *uid));
    let there = objects.pods.values().filter(ours).filter(|pod| !is_record(pod)).count();
    there.saturating_sub(usize::try_from(wanted).unwrap_or(0))
}

/// Evicted pods stay as a record until they are collected. A pod that is being deleted ends too, shortly before it goes.
fn is_record(pod: &Pod) -> bool {
    let phase = pod.status.as_ref().and_then(|status| status.phase.as_deref());
    matches!(phase, Some("Failed" | "Succeeded")) && pod.metadata.deletion_timestamp.is_none()
}

fn deadline_exceeded(deployment: &Deployment, title: &str, reason: Option<&str>, clock: Clock) -> Option<Problem> {
    let conditions = deployment.status.as_ref()?.conditions.as_ref()?;
    let progressing = conditions.iter().find(|condition| condition.type_ == "Progressing")?;
    if progressing.status != "False" || progressing.reason.as_deref() != Some("ProgressDeadlineExceeded") {
        return None;
    }
    // The controller goes back to an earlier template, and a moment later takes back what it said of the one before.
    let said = progressing.last_update_time.as_ref().map(|time| time.0);
    let is_old = said.is_some_and(|said| said < clock.since);
    if is_old && clock.now.duration_since(clock.since) < thresholds::OLD_VERDICT {
        return None;
    }
    let last = reason.map_or(String::new(), |reason| format!(": {reason}"));
    Some(Problem::new(
        &PROGRESS_DEADLINE,
        format!("{title} has made no progress within its `progressDeadlineSeconds`{last}"),
        "look at the pods: `deploy-tool status`",
    ))
}
