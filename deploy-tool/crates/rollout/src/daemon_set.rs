//! How far a DaemonSet is.

use super::{Clock, Objects, State, Target, finalizer, is_owned_by, pod, refusal, worst};

pub fn state(target: &Target, objects: &Objects, clock: Clock) -> State {
    let title = target.title();
    let Some(set) = objects.daemon_sets.get(&target.key()) else {
        return State::Waiting(format!("{title} is not there yet"));
    };
    if let Some(state) = finalizer::state(&title, &set.metadata, clock) {
        return state;
    }
    let status = set.status.clone().unwrap_or_default();
    let generation = set.metadata.generation.unwrap_or(0);
    if generation < target.generation || status.observed_generation.unwrap_or(0) < generation {
        return State::Waiting(format!("{title}: its controller has not seen the change yet"));
    }
    // With OnDelete the pods stay as they are until somebody deletes them.
    // https://kubernetes.io/docs/tasks/manage-daemon/update-daemon-set/#daemonset-update-strategy
    let strategy = set.spec.as_ref().and_then(|spec| spec.update_strategy.as_ref());
    let replaced = strategy.and_then(|strategy| strategy.type_.as_deref()) != Some("OnDelete");
    let wanted = status.desired_number_scheduled;
    let available = status.number_available.unwrap_or(0);
    let updated = if replaced {
        status.updated_number_scheduled.unwrap_or(0)
    } else {
        wanted
    };
    let sentence = format!("{title}: {} of {wanted} ready", available.min(updated));
    if updated >= wanted && available >= wanted {
        return State::Done(match wanted {
            0 => format!("{sentence}: no node is meant to run it"),
            _ => sentence,
        });
    }
    if let Some(state) = refusal::state(objects, &set.metadata, &title, clock) {
        return state;
    }
    let ours = objects
        .pods
        .values()
        .filter(|pod| is_owned_by(&pod.metadata, set.metadata.uid.as_deref()));
    let current = ours.filter(|pod| pod.metadata.deletion_timestamp.is_none());
    match worst(current.map(|pod| pod::state(pod, objects, &None, clock))) {
        Err(problem) => State::Failed(problem),
        Ok(Some(reason)) => State::Waiting(format!("{sentence}; {reason}")),
        Ok(None) if updated < wanted => {
            State::Waiting(format!("{sentence}, {} of the old revision left", wanted - updated))
        }
        Ok(None) => State::Waiting(sentence),
    }
}
