//! Whether an object exists, and whether its status is about the generation that was applied.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube_core::Resource;

use crate::status::{Phase, ReadyCount, RolloutStatus};
use crate::{Clock, Diagnosis, Target, TargetKind, finalizer};
use diagnostics::code::rollout::GONE;

/// Whether an object can be looked at.
pub enum Presence<'a, K> {
    /// It is there, and it stays.
    Present(&'a K),
    /// It is not there, or about to go.
    Absent(Phase),
}

/// The object of a target, unless it is missing or being deleted.
pub fn find<'a, K: Resource>(target: &Target, object: Option<&'a K>, clock: Clock) -> Presence<'a, K> {
    let Some(object) = object else {
        return Presence::Absent(missing(target));
    };
    match finalizer::evaluate(&target.title(), &target.resource(), object.meta(), clock) {
        Some(phase) => Presence::Absent(phase),
        None => Presence::Present(object),
    }
}

/// The phase of an object that was applied and has been deleted since: it may be created again.
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

/// The phase of an object whose status is about an older generation, and does not count yet. `observed` is
/// `status.observedGeneration`; none for kinds without that field.
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
