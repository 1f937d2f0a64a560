//! How far a StatefulSet is.

use k8s_openapi::api::apps::v1::StatefulSet;
use k8s_openapi::api::core::v1::Pod;

use super::{Clock, Objects, State, Target, TargetKind, finalizer, is_owned_by, pod, refusal};

/// The StatefulSet controller labels its pods with it.
const REVISION: &str = "controller-revision-hash";

pub fn state(target: &Target, objects: &Objects, clock: Clock) -> State {
    let title = target.title();
    let Some(set) = objects.stateful_sets.get(&target.key()) else {
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
    let wanted = set.spec.as_ref().and_then(|spec| spec.replicas).unwrap_or(1);
    // Counted from the pods: the controller's own counts lag behind them.
    let pods: Vec<&Pod> = pods(set, objects).collect();
    let current = pods
        .iter()
        .filter(|pod| is_as_wanted(pod, set) && pod.metadata.deletion_timestamp.is_none());
    let ready = current.filter(|pod| pod::is_ready(pod)).count();
    let sentence = format!("{title}: {ready} of {wanted} ready");
    if i32::try_from(ready).is_ok_and(|ready| ready == wanted) && pods.len() == ready {
        return State::Done(sentence);
    }
    if let Some(state) = refusal::state(objects, &set.metadata, &title, clock) {
        return state;
    }
    let mut reason = None;
    for pod in &pods {
        let state = match finalizer::state(&pod::title(pod), &pod.metadata, clock) {
            Some(leaving) => leaving,
            None => pod::state(pod, objects, &None, clock),
        };
        match state {
            // A broken pod of an older revision is replaced, see `replace`.
            State::Failed(problem) if is_as_wanted(pod, set) || pod.metadata.deletion_timestamp.is_some() => {
                return State::Failed(problem);
            }
            State::Failed(problem) => reason = Some(problem.sentence),
            State::Waiting(sentence) => reason = reason.or(Some(sentence)),
            State::Done(_) => {}
        }
    }
    State::Waiting(reason.map_or(sentence.clone(), |reason| format!("{sentence}; {reason}")))
}

/// Why the database of a target is not ready, or since when it is.
pub fn database_state(target: &Target, objects: &Objects, clock: Clock) -> Option<pod::Database> {
    let name = target.database.as_ref()?;
    let set = Target {
        kind: TargetKind::StatefulSet,
        name: name.clone(),
        generation: 0,
        database: None,
        ..target.clone()
    };
    Some(match state(&set, objects, clock) {
        State::Done(_) => {
            let set = objects.stateful_sets.get(&set.key());
            let pods = set.into_iter().flat_map(|set| pods(set, objects));
            pod::Database::ReadySince(pods.filter_map(pod::ready_since).max())
        }
        State::Waiting(reason) => pod::Database::NotReady(reason),
        State::Failed(problem) => pod::Database::Broken(problem),
    })
}

pub fn pods<'a>(set: &'a StatefulSet, objects: &'a Objects) -> impl Iterator<Item = &'a Pod> {
    objects
        .pods
        .values()
        .filter(|pod| is_owned_by(&pod.metadata, set.metadata.uid.as_deref()))
}

pub fn is_updated(pod: &Pod, set: &StatefulSet) -> bool {
    let wanted = set.status.as_ref().and_then(|status| status.update_revision.as_ref());
    wanted.is_some() && pod.metadata.labels.as_ref().and_then(|labels| labels.get(REVISION)) == wanted
}

/// Whether a pod has the revision that the controller would give it: with OnDelete that is the one it has, and below
/// the partition as well.
/// <https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/#update-strategies>
fn is_as_wanted(pod: &Pod, set: &StatefulSet) -> bool {
    let strategy = set.spec.as_ref().and_then(|spec| spec.update_strategy.as_ref());
    if strategy.and_then(|strategy| strategy.type_.as_deref()) == Some("OnDelete") {
        return true;
    }
    let rolling = strategy.and_then(|strategy| strategy.rolling_update.as_ref());
    let partition = rolling.and_then(|rolling| rolling.partition).unwrap_or(0);
    let ordinal = |name: &str| name.rsplit('-').next()?.parse::<i32>().ok();
    let below = pod
        .metadata
        .name
        .as_deref()
        .and_then(ordinal)
        .is_some_and(|ordinal| ordinal < partition);
    below || is_updated(pod, set)
}
