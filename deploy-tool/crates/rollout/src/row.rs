//! What the live table shows of each target.

use super::{Objects, State, Target, TargetKind};

/// One target in the live table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Deployment `app`
    pub title: String,
    /// How far it is.
    pub state: RowState,
    /// How many are ready, of how many; none for what has no parts.
    pub ready: Option<(u32, u32)>,
    /// Why it is not there yet; empty when there is nothing to say.
    pub reason: String,
}

/// How far a row's target is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RowState {
    /// Will not come up by itself.
    Failed,
    /// On its way.
    Waiting,
    /// There.
    Done,
}

/// The rows of targets, whose states are given in the same order.
pub fn rows(targets: &[Target], states: &[State], objects: &Objects) -> Vec<Row> {
    let row = |(target, state): (&Target, &State)| {
        let (kind, sentence) = match state {
            State::Waiting(reason) => (RowState::Waiting, reason.as_str()),
            State::Done(sentence) => (RowState::Done, sentence.as_str()),
            State::Failed(problem) => (RowState::Failed, problem.sentence.as_str()),
        };
        let title = target.title();
        let ready = ready(target, objects);
        Row {
            state: kind,
            reason: reason(&title, ready.is_some(), sentence),
            ready,
            title,
        }
    };
    targets.iter().zip(states).map(row).collect()
}

/// What a sentence says beyond what the row shows anyway.
fn reason(title: &str, counted: bool, sentence: &str) -> String {
    let rest = sentence.strip_prefix(title).unwrap_or(sentence);
    let rest = rest.trim_start_matches([':', ' ']);
    let counts = counted
        && rest
            .split_once(" of ")
            .is_some_and(|(count, _)| count.parse::<u32>().is_ok());
    match rest.split_once(" ready") {
        Some((_, more)) if counts => more.trim_start_matches([';', ',', ' ']).to_owned(),
        _ => rest.to_owned(),
    }
}

fn ready(target: &Target, objects: &Objects) -> Option<(u32, u32)> {
    let key = target.key();
    let count = |number: Option<i32>| u32::try_from(number.unwrap_or(0)).unwrap_or(0);
    Some(match target.kind {
        TargetKind::Deployment => {
            let deployment = objects.deployments.get(&key)?;
            let status = deployment.status.as_ref()?;
            let ready = status.available_replicas.min(status.updated_replicas);
            (count(ready), count(deployment.spec.as_ref()?.replicas.or(Some(1))))
        }
        TargetKind::StatefulSet => {
            let set = objects.stateful_sets.get(&key)?;
            let ready = set.status.as_ref()?.ready_replicas;
            (count(ready), count(set.spec.as_ref()?.replicas.or(Some(1))))
        }
        TargetKind::DaemonSet => {
            let status = objects.daemon_sets.get(&key)?.status.as_ref()?;
            let ready = status.number_available.min(status.updated_number_scheduled);
            (count(ready), count(Some(status.desired_number_scheduled)))
        }
        TargetKind::Job => {
            let job = objects.jobs.get(&key)?;
            let done = job.status.as_ref().and_then(|status| status.succeeded);
            (count(done), count(job.spec.as_ref()?.completions.or(Some(1))))
        }
        TargetKind::Pod => (u32::from(objects.pods.get(&key).is_some_and(super::is_ready)), 1),
        TargetKind::Other(_) => return None,
    })
}
