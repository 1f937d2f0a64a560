//! Whether an object is there, and whether its status speaks of what was applied.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube_core::Resource;

use crate::status::{Phase, ReadyCount, RolloutStatus};
use crate::{Clock, Diagnosis, Target, TargetKind, finalizer};
use diagnostics::code::rollout::GONE;

/// Whether an object can be looked at.
pub enum Presence<'a, K> {
    /// It is there, and it stays.
    There(&'a K),
    /// It is not there, or about to go.
    Not(Phase),
}

/// An object that is waited for, unless it is missing or on its way out.
pub fn find<'a, K: Resource>(target: &Target, object: Option<&'a K>, clock: Clock) -> Presence<'a, K> {
    let Some(object) = object else {
        return Presence::Not(missing(target));
    };
    match finalizer::evaluate(&target.title(), &target.resource(), object.meta(), clock) {
        Some(phase) => Presence::Not(phase),
        None => Presence::There(object),
    }
}

/// What was stored and is not there has been deleted by somebody: whoever did may make it again.
fn missing(target: &Target) -> Phase {
    if target.uid.is_none() {
        return Phase::in_progress("not there yet");
    }
    let sentence = format!("{} was stored, and has been deleted since", target.title());
    let next = "find out who deletes it, such as another deployment or an operator; then run the same command again";
    let diagnosis = Diagnosis::new(&GONE, sentence, next);
    match target.kind {
        TargetKind::Generic(_) => diagnosis.blocked().with_reason("it has been deleted").into(),
        _ => diagnosis.failed(),
    }
}

/// Says that an object's status is about an older generation, if it is: what it says does not count. Objects whose
/// status tells no generation have `None` for `observed`.
pub fn unobserved(target: &Target, metadata: &ObjectMeta, observed: Option<i64>) -> Option<Phase> {
    let generation = metadata.generation.unwrap_or(0);
    // Another object of that name begins to count again.
    let is_same = target.uid.is_none() || target.uid == metadata.uid;
    let is_old = is_same && generation < target.generation || observed.is_some_and(|observed| observed < generation);
    is_old.then(|| Phase::in_progress("its controller has not seen the change yet"))
}

impl Target {
    pub(crate) fn status(&self, ready: Option<ReadyCount>, phase: Phase) -> RolloutStatus {
        RolloutStatus {
            title: self.title(),
            ready,
            phase,
        }
    }
}
