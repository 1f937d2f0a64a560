//! Pure: whether what was applied is rolled out, still on its way, or will never come up; and why, in a sentence.
//!
//! Generations are compared first: until its controller has seen the new generation, an object's status speaks of the
//! old one. Failures come second, counts third.
//! <https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#deployment-status>

mod container;
mod deployment;
mod events;
mod image;
mod pod;
mod refusal;
mod replace;
mod row;
mod scheduling;
mod stateful_set;
#[cfg(test)]
mod tests;
pub mod thresholds;

use std::collections::BTreeMap;

use jiff::Timestamp;
use k8s_openapi::api::apps::v1::{Deployment, ReplicaSet, StatefulSet};
use k8s_openapi::api::core::v1::{Event, Pod};

pub use pod::is_ready;
pub use refusal::{Controller, refused_before};
pub use replace::pods_to_replace;
pub use row::{Row, RowState};

/// A copy of what the cluster says, by `namespace/name`.
#[derive(Clone, Debug, Default)]
pub struct Objects {
    /// Deployments.
    pub deployments: BTreeMap<String, Deployment>,
    /// StatefulSets.
    pub stateful_sets: BTreeMap<String, StatefulSet>,
    /// ReplicaSets.
    pub replica_sets: BTreeMap<String, ReplicaSet>,
    /// Pods.
    pub pods: BTreeMap<String, Pod>,
    /// Events.
    pub events: BTreeMap<String, Event>,
}

/// Which object is waited for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// What it is.
    pub kind: TargetKind,
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// The generation that the cluster stored when it was applied.
    pub generation: i64,
    /// The StatefulSet without which its pods do not become ready.
    pub database: Option<String>,
    /// Pods on their way out have to be gone too.
    pub surplus_gone: bool,
}

/// The kinds that can be waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TargetKind {
    /// A Deployment.
    Deployment,
    /// A StatefulSet.
    StatefulSet,
}

/// When it is, and since when somebody waits: events before that may tell of what has been put right since.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    /// Now, in the cluster.
    pub now: Timestamp,
    /// When the objects were applied, in the cluster.
    pub since: Timestamp,
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

/// Why something will not come up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// What is wrong, where.
    pub sentence: String,
    /// What to do about it.
    pub next: String,
    /// What shows more.
    pub evidence: Option<Evidence>,
}

/// Something the cluster can be asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Evidence {
    /// The last lines of a container's log.
    Logs {
        /// Namespace of the pod.
        namespace: String,
        /// The pod.
        pod: String,
        /// The container.
        container: String,
    },
    /// What the readiness probe's path answers.
    Readiness {
        /// Namespace of the pod.
        namespace: String,
        /// The pod.
        pod: String,
        /// The port's number or name, and the path.
        address: String,
    },
}

impl Problem {
    fn new(sentence: impl Into<String>, next: impl Into<String>) -> Self {
        Self {
            sentence: sentence.into(),
            next: next.into(),
            evidence: None,
        }
    }

    fn with(mut self, evidence: Evidence) -> Self {
        self.evidence = Some(evidence);
        self
    }

    /// The problem, with what the evidence says about it.
    ///
    /// crun tells only on the container's output that the kernel refused to run a module as a native program.
    #[must_use]
    pub fn in_the_light_of(self, evidence: &str) -> Self {
        if !container::says_not_executable(evidence) {
            return self;
        }
        let sentence = format!(
            "{}: the image's entrypoint was run as a native program, not by WasmEdge",
            self.sentence
        );
        Self {
            sentence,
            next: container::NOT_EXECUTABLE_ADVICE.to_owned(),
            ..self
        }
    }

    fn failed(self) -> State {
        State::Failed(Box::new(self))
    }
}

/// How far one target is.
pub fn state(target: &Target, objects: &Objects, clock: Clock) -> State {
    match target.kind {
        TargetKind::Deployment => deployment::state(target, objects, clock),
        TargetKind::StatefulSet => stateful_set::state(target, objects, clock),
    }
}

/// How far all targets are: the first failure, else the first that is waited for, else done. They come in the order in
/// which they were applied, so the first is what the others wait for.
pub fn overall(targets: &[Target], objects: &Objects, clock: Clock) -> State {
    let mut waiting = Vec::new();
    let mut done = Vec::new();
    for target in targets {
        match state(target, objects, clock) {
            State::Failed(problem) => return State::Failed(problem),
            State::Waiting(reason) => waiting.push(reason),
            State::Done(sentence) => done.push(sentence),
        }
    }
    match waiting.into_iter().next() {
        Some(reason) => State::Waiting(reason),
        None => State::Done(done.join(", ")),
    }
}

/// Whether an object belongs to another one.
fn is_owned_by(metadata: &k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta, uid: Option<&str>) -> bool {
    let owners = metadata.owner_references.iter().flatten();
    uid.is_some_and(|uid| owners.into_iter().any(|owner| owner.uid == uid))
}
