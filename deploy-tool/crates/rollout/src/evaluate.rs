//! How far one object is: by its kind.

use crate::target::is_replica_set;
use crate::{Clock, Objects, RolloutStatus, Target, TargetKind};
use crate::{daemon_set, deployment, generic, job, pod, replica_set, stateful_set};

/// Evaluates the status of one target by its objects in the cluster.
pub fn evaluate(target: &Target, objects: &Objects, clock: Clock) -> RolloutStatus {
    evaluate_at(target, objects, clock.with_last_deletion(objects))
}

/// The same with a clock that knows the last deletion, which is found once for all targets.
pub(crate) fn evaluate_at(target: &Target, objects: &Objects, clock: Clock) -> RolloutStatus {
    match &target.kind {
        TargetKind::Deployment => deployment::evaluate(target, objects, clock),
        TargetKind::StatefulSet => stateful_set::evaluate(target, objects, clock),
        TargetKind::DaemonSet => daemon_set::evaluate(target, objects, clock),
        TargetKind::Job => job::evaluate(target, objects, clock),
        TargetKind::Pod => pod::evaluate_target(target, objects, clock),
        TargetKind::Generic(kind) if is_replica_set(kind) => replica_set::evaluate(target, kind, objects, clock),
        TargetKind::Generic(kind) => generic::evaluate(target, kind, objects, clock),
    }
}
