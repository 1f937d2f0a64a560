//! How far a StatefulSet is.

use jiff::SignedDuration;
use k8s_openapi::api::apps::v1::StatefulSet;
use k8s_openapi::api::core::v1::Pod;

use crate::ownership::pods_of;
use crate::presence::{self, Presence};
use crate::probe::Database;
use crate::status::{Phase, ReadyCount, RolloutStatus};
use crate::{Clock, Objects, Target, TargetKind, failed_create, finalizer, pod, pod_view, probe_times};

/// The StatefulSet controller labels its pods with it.
const REVISION: &str = "controller-revision-hash";

pub fn evaluate(target: &Target, objects: &Objects, clock: Clock) -> RolloutStatus {
    let set = match presence::find(target, objects.stateful_sets.get(&target.key()), clock) {
        Presence::Present(set) => set,
        Presence::Absent(phase) => return target.status(None, phase),
    };
    let wanted = set.spec.as_ref().and_then(|spec| spec.replicas).unwrap_or(1);
    // Counted from the pods: the controller's own counts lag behind them.
    let pods: Vec<&Pod> = pods(set, objects).collect();
    let is_current =
        |pod: &&&Pod| has_wanted_revision(pod, set) && !pod_view::is_leaving(pod) && pod_view::is_ready(pod);
    let ready = pods.iter().filter(is_current).count();
    let count = ReadyCount::new(i32::try_from(ready).unwrap_or(i32::MAX), wanted);
    let observed = set.status.as_ref().and_then(|status| status.observed_generation);
    let phase = presence::unobserved(target, &set.metadata, Some(observed.unwrap_or(0))).unwrap_or_else(|| {
        let parts = Phase::of_parts(pods.iter().map(|pod| part(pod, set, objects, clock)), true);
        let is_complete = pods.len() == ready && count.ready == count.wanted && i32::try_from(ready) == Ok(wanted);
        match parts {
            Phase::Done(_) if is_complete => note(set, &pods),
            Phase::Done(_) => failed_create::evaluate(objects, &set.metadata, &target.title(), clock)
                .unwrap_or_else(|| unfinished(set, &pods, wanted)),
            parts => parts,
        }
    });
    target.status(Some(count), phase)
}

/// The phase of one pod, as a part of the StatefulSet's.
fn part(pod: &Pod, set: &StatefulSet, objects: &Objects, clock: Clock) -> Phase {
    let title = pod_view::title(pod);
    if let Some(leaving) = finalizer::evaluate(&title, "pod", &pod.metadata, clock) {
        return match leaving {
            Phase::Waiting(mut waiting) => {
                waiting.reason = format!("{title} is {}", waiting.reason);
                Phase::Waiting(waiting)
            }
            leaving => leaving,
        };
    }
    let phase = pod::evaluate(pod, objects, None, min_ready(set), clock);
    if has_wanted_revision(pod, set) || matches!(phase, Phase::Done(_)) {
        return phase;
    }
    // A pod of an older revision is replaced (see `replace`): its problem is not one of this rollout.
    let cause = match phase {
        Phase::Failed(diagnosis) => diagnosis.sentence,
        Phase::Waiting(waiting) => waiting.reason,
        Phase::Done(_) => String::new(),
    };
    Phase::in_progress(format!(
        "{title} is of the old revision and has to be replaced first: {cause}"
    ))
}

fn min_ready(set: &StatefulSet) -> SignedDuration {
    let seconds = set.spec.as_ref().and_then(|spec| spec.min_ready_seconds);
    probe_times::seconds(seconds.unwrap_or(0))
}

/// Complete; with OnDelete or a partition, old pods stay.
fn note(set: &StatefulSet, pods: &[&Pod]) -> Phase {
    match pods.iter().filter(|pod| !is_updated(pod, set)).count() {
        0 => Phase::DONE,
        old => Phase::done_with_note(format!("{old} stay as they were, as its `updateStrategy` says")),
    }
}

fn unfinished(set: &StatefulSet, pods: &[&Pod], wanted: i32) -> Phase {
    let old = pods.iter().filter(|pod| !has_wanted_revision(pod, set)).count();
    let count = i32::try_from(pods.len()).unwrap_or(i32::MAX);
    Phase::in_progress(if old > 0 {
        format!("{old} of the old revision left")
    } else if count > wanted {
        format!("{} terminating", count - wanted)
    } else {
        format!("{count} pods so far")
    })
}

/// The database of a target, if it names one.
pub fn database(target: &Target, objects: &Objects, clock: Clock) -> Option<Database> {
    let name = target.database.as_ref()?;
    let set = Target {
        kind: TargetKind::StatefulSet,
        name: name.clone(),
        uid: None,
        generation: 0,
        database: None,
        ..target.clone()
    };
    Some(match evaluate(&set, objects, clock).phase {
        Phase::Done(_) => {
            let set = objects.stateful_sets.get(&set.key());
            let pods = set.into_iter().flat_map(|set| pods(set, objects));
            Database::ReadySince(pods.filter_map(pod_view::ready_since).max())
        }
        phase => Database::NotReady(phase),
    })
}

pub fn pods<'a>(set: &StatefulSet, objects: &'a Objects) -> impl Iterator<Item = &'a Pod> {
    pods_of(objects, set.metadata.uid.as_deref())
}

pub fn is_updated(pod: &Pod, set: &StatefulSet) -> bool {
    let wanted = set.status.as_ref().and_then(|status| status.update_revision.as_ref());
    wanted.is_some() && pod.metadata.labels.as_ref().and_then(|labels| labels.get(REVISION)) == wanted
}

/// Whether a pod has the revision that the controller would give it: with OnDelete that is the one it has, and below
/// the partition as well.
/// <https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/#update-strategies>
fn has_wanted_revision(pod: &Pod, set: &StatefulSet) -> bool {
    let strategy = set.spec.as_ref().and_then(|spec| spec.update_strategy.as_ref());
    if strategy.and_then(|strategy| strategy.type_.as_deref()) == Some("OnDelete") {
        return true;
    }
    let rolling = strategy.and_then(|strategy| strategy.rolling_update.as_ref());
    let partition = rolling.and_then(|rolling| rolling.partition).unwrap_or(0);
    let ordinal = |name: &str| name.rsplit('-').next()?.parse::<i32>().ok();
    let below = ordinal(pod_view::name(pod)).is_some_and(|ordinal| ordinal < partition);
    below || is_updated(pod, set)
}
