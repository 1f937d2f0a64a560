//! How far a DaemonSet is.

use k8s_openapi::api::apps::v1::DaemonSet;
use k8s_openapi::api::core::v1::{Node, Pod};

use crate::ownership::pods_of;
use crate::presence::{self, Presence};
use crate::status::{Phase, ReadyCount, RolloutStatus};
use crate::{Clock, Objects, Target, failed_create, pod, pod_view, probe_times};

pub fn evaluate(target: &Target, objects: &Objects, clock: Clock) -> RolloutStatus {
    let set = match presence::find(target, objects.daemon_sets.get(&target.key()), clock) {
        Presence::Present(set) => set,
        Presence::Absent(phase) => return target.status(None, phase),
    };
    let status = set.status.clone().unwrap_or_default();
    let wanted = status.desired_number_scheduled;
    let available = status.number_available.unwrap_or(0);
    let current = status.updated_number_scheduled.unwrap_or(0);
    let stays = if is_on_delete(set) { wanted - current } else { 0 };
    let updated = current + stays;
    let count = ReadyCount::new(available.min(updated), wanted);
    let observed = status.observed_generation.unwrap_or(0);
    let phase = presence::unobserved(target, &set.metadata, Some(observed)).unwrap_or_else(|| {
        let all = pods_of(objects, set.metadata.uid.as_deref()).filter(|pod| !pod_view::is_leaving(pod));
        // An unreachable node says nothing about the release: its pods do not count, and a note names it.
        let (dead, live): (Vec<&Pod>, Vec<&Pod>) = all.partition(|pod| is_on_dead_node(pod, objects));
        let dead = dead.into_iter().filter(|pod| !pod_view::is_ready(pod));
        let dead: Vec<&str> = dead.map(pod_view::node).collect();
        let parts = live.into_iter().filter(|pod| pod_view::is_unfinished(pod));
        let min_ready = set.spec.as_ref().and_then(|spec| spec.min_ready_seconds);
        let min_ready = probe_times::seconds(min_ready.unwrap_or(0));
        let parts = parts.map(|pod| pod::evaluate(pod, objects, None, min_ready, clock));
        let needed = wanted - i32::try_from(dead.len()).unwrap_or(0);
        match Phase::of_parts(parts, true) {
            Phase::Done(_) if updated >= needed && available >= needed => note(wanted, stays, &dead),
            Phase::Done(_) => failed_create::evaluate(objects, &set.metadata, &target.title(), clock)
                .unwrap_or_else(|| unfinished(updated, wanted)),
            parts => parts,
        }
    });
    target.status(Some(count), phase)
}

/// With the strategy OnDelete, the controller updates a pod only after it was deleted by the user.
/// <https://kubernetes.io/docs/tasks/manage-daemon/update-daemon-set/#daemonset-update-strategy>
fn is_on_delete(set: &DaemonSet) -> bool {
    let strategy = set.spec.as_ref().and_then(|spec| spec.update_strategy.as_ref());
    strategy.and_then(|strategy| strategy.type_.as_deref()) == Some("OnDelete")
}

fn note(wanted: i32, stays: i32, dead: &[&str]) -> Phase {
    match (wanted, stays, dead) {
        (0, ..) => Phase::done_with_note("no node is meant to run it"),
        (_, 1.., _) => Phase::done_with_note(format!("{stays} stay as they were, as its `updateStrategy` says")),
        (.., []) => Phase::DONE,
        (.., dead) => Phase::done_with_note(format!("not on {}: such nodes are not ready", dead.join(", "))),
    }
}

fn unfinished(updated: i32, wanted: i32) -> Phase {
    Phase::in_progress(if updated < wanted {
        format!("{} of the old revision left", wanted - updated)
    } else {
        "its pods are not counted as available yet".to_owned()
    })
}

/// Whether a pod's node is known and does not answer, or is leaving. Who may not look at nodes knows of none.
fn is_on_dead_node(pod: &Pod, objects: &Objects) -> bool {
    let Some(name) = pod_view::node_name(pod) else {
        return false;
    };
    // Nodes have no namespace.
    objects.nodes.get(&format!("/{name}")).is_some_and(is_dead)
}

fn is_dead(node: &Node) -> bool {
    let conditions = node.status.iter().flat_map(|status| status.conditions.iter().flatten());
    let mut ready = conditions.filter(|condition| condition.type_ == "Ready");
    node.metadata.deletion_timestamp.is_some() || ready.any(|condition| condition.status != "True")
}
