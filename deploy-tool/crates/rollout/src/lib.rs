//! Pure: whether what was applied is rolled out, still on its way, or will never come up; and why, in a sentence.
//!
//! Generations are compared first: until its controller has seen the new generation, an object's status speaks of the
//! old one. Failures come second, counts third.
//! <https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#deployment-status>

mod claim;
mod container;
mod daemon_set;
mod deployment;
mod events;
mod executable;
mod finalizer;
mod image;
mod job;
mod needs;
mod objects;
mod other;
mod pod;
mod probe;
mod problem;
mod refusal;
mod replace;
mod row;
mod sandbox;
mod scheduling;
mod stateful_set;
mod target;
#[cfg(test)]
mod tests;
pub mod thresholds;
mod trim;

use jiff::{Timestamp, Unit};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

pub use executable::unheard;
pub use finalizer::held;
pub use needs::{NOISE, Need, NeedKind, Selection, needs};
pub use objects::{Objects, event_key, other_key};
pub use other::definition;
pub use pod::is_ready;
pub use problem::{Evidence, NOTHING_LOGGED, Problem};
pub use refusal::{Controller, refused_before};
pub use replace::pods_to_replace;
pub use row::{Row, RowState, rows};
pub use sandbox::{cannot_ask_systemd, unknown_handler};
pub use target::{Target, TargetKind};
pub use trim::Trim;

/// The annotation of a Deployment that names the StatefulSet of its database.
pub const DATABASE_ANNOTATION: &str = "deploy-tool.dev/database";

/// When it is, and since when somebody waits: events before that may tell of what has been put right since.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    /// Now, in the cluster.
    pub now: Timestamp,
    /// When the objects were applied, in the cluster.
    pub since: Timestamp,
}

impl Clock {
    /// Kubernetes writes the times of events and pods in whole seconds: what happened in the second of the start counts
    /// as after it.
    pub fn new(now: Timestamp, since: Timestamp) -> Self {
        let round = jiff::TimestampRound::new()
            .smallest(Unit::Second)
            .mode(jiff::RoundMode::Floor);
        Self {
            now,
            since: since.round(round).unwrap_or(since),
        }
    }
}

/// How far something is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// On its way.
    Waiting(String),
    /// There.
    Done(String),
    /// Will not come up by itself.
    Failed(Box<Problem>),
}

/// How far one target is.
pub fn state(target: &Target, objects: &Objects, clock: Clock) -> State {
    match &target.kind {
        TargetKind::Deployment => deployment::state(target, objects, clock),
        TargetKind::StatefulSet => stateful_set::state(target, objects, clock),
        TargetKind::DaemonSet => daemon_set::state(target, objects, clock),
        TargetKind::Job => job::state(target, objects, clock),
        TargetKind::Pod => pod::bare(target, objects, clock),
        TargetKind::Other(kind) => other::state(target, kind, objects, clock),
    }
}

/// How far all targets are: the first failure, else the first that is waited for, else done. They come in the order in
/// which they were applied, so the first is what the others wait for.
pub fn overall(states: impl IntoIterator<Item = State>) -> State {
    let mut first = None;
    let mut done = Vec::new();
    for state in states {
        match state {
            State::Failed(problem) => return State::Failed(problem),
            State::Waiting(reason) => first = first.or(Some(reason)),
            State::Done(sentence) => done.push(sentence),
        }
    }
    match first {
        Some(reason) => State::Waiting(reason),
        None => State::Done(done.join(", ")),
    }
}

/// The worst of several pods: a failure, else the first reason to wait.
fn worst(states: impl IntoIterator<Item = State>) -> Result<Option<String>, Box<Problem>> {
    let mut reason = None;
    for state in states {
        match state {
            State::Failed(problem) => return Err(problem),
            State::Waiting(sentence) => reason = reason.or(Some(sentence)),
            State::Done(_) => {}
        }
    }
    Ok(reason)
}

/// Whether an object belongs to another one.
fn is_owned_by(metadata: &ObjectMeta, uid: Option<&str>) -> bool {
    let owners = metadata.owner_references.iter().flatten();
    uid.is_some_and(|uid| owners.into_iter().any(|owner| owner.uid == uid))
}

/// Whether a sentence has one of these parts, whatever the letters' case.
fn says(sentence: &str, parts: &[&str]) -> bool {
    let text = sentence.to_ascii_lowercase();
    parts.iter().any(|part| text.contains(part))
}
