//! Decides when to stop waiting for a release: whether it is ready, has failed, or may still become ready.
//!
//! A diagnosis is shown as soon as it is found, but it does not end the wait. A failure that nothing else can fix ends it
//! at once. Any other diagnosis ends it when
//!
//! 1. nothing that it could depend on is in progress: all unfinished targets are blocked,
//! 2. there was no progress for the time limit of the object: `progressDeadlineSeconds`, or [`thresholds::STALL`]; or for
//!    [`thresholds::CRASH_LOOP`], where all unfinished targets are in a crash loop,
//! 3. and a complete attempt has failed since the last progress.

mod suppliers;
mod unfinished;
mod verdict;

pub use verdict::{Failed, Verdict};

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::core::v1::Pod;

use crate::deployment::{self, Deadline};
use crate::evaluate::evaluate_at;
use crate::movement::Movement;
use crate::ownership::pods_of_target;
use crate::status::{RolloutStatus, WaitClass, Waiting};
use crate::{Clock, Objects, Target, TargetKind, pod_view, scheduling, thresholds};
use suppliers::name_suppliers;
use unfinished::Unfinished;

/// Options of the wait.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    /// Fail at the first clear sign of a failure, though the target might still become ready.
    pub fail_fast: bool,
}

/// Tracks the targets of a release from one observation to the next.
#[derive(Clone, Debug)]
pub struct Tracker {
    targets: Vec<Tracked>,
    policy: Policy,
    /// When a target was first seen failed while others were in progress.
    failed_since: Option<Timestamp>,
    /// When all unfinished targets were first seen with an unknown result.
    unknown_since: Option<Timestamp>,
}

#[derive(Clone, Debug)]
struct Tracked {
    target: Target,
    movement: Movement,
    moved: Option<Timestamp>,
}

impl Tracker {
    /// A tracker of these targets, in the order in which they were applied.
    pub fn new(targets: &[Target], policy: Policy) -> Self {
        let tracked = |target: &Target| Tracked {
            target: target.clone(),
            movement: Movement::default(),
            moved: None,
        };
        Self {
            targets: targets.iter().map(tracked).collect(),
            policy,
            failed_since: None,
            unknown_since: None,
        }
    }

    /// Evaluates the state of the cluster. Returns the status of each target, in their order, and the verdict.
    pub fn observe(&mut self, objects: &Objects, clock: Clock) -> (Vec<RolloutStatus>, Verdict) {
        let clock = clock.with_last_deletion(objects);
        let mut statuses = Vec::with_capacity(self.targets.len());
        for tracked in &mut self.targets {
            let status = evaluate_at(&tracked.target, objects, clock);
            if tracked.movement.observe(&tracked.target, objects, &status) {
                tracked.moved = Some(clock.now);
            }
            statuses.push(status);
        }
        name_suppliers(&mut statuses);
        let verdict = self.decide(&statuses, objects, clock);
        (statuses, verdict)
    }

    /// When any target made progress last.
    pub fn last_movement(&self) -> Option<Timestamp> {
        self.targets.iter().filter_map(|tracked| tracked.moved).max()
    }

    /// Whether the cluster autoscaler is adding nodes for an unscheduled pod of the release.
    pub fn has_scale_up(&self, objects: &Objects, clock: Clock) -> bool {
        let is_awaited =
            |pod: &Pod| pod_view::node_name(pod).is_none() && scheduling::has_scale_up(pod, objects, clock);
        let mut pods = self
            .targets
            .iter()
            .flat_map(|tracked| pods_of_target(&tracked.target, objects));
        pods.any(is_awaited)
    }

    /// Whether all unfinished targets are blocked without progress for a while: they may need objects of a later wave.
    pub fn is_blocked(&self, statuses: &[RolloutStatus], clock: Clock) -> bool {
        let is_idle = self
            .last_movement()
            .is_some_and(|moved| clock.age(moved) >= thresholds::FAILURE_GRACE);
        is_idle && !Unfinished::collect(statuses).has_progress()
    }

    fn decide(&mut self, statuses: &[RolloutStatus], objects: &Objects, clock: Clock) -> Verdict {
        let unfinished = Unfinished::collect(statuses);
        let is_unknown = |(_, waiting): &(usize, &Waiting)| waiting.class == WaitClass::Unknown;
        let is_all_unknown = !unfinished.waiting.is_empty() && unfinished.waiting.iter().all(is_unknown);
        if !is_all_unknown {
            self.unknown_since = None;
        }
        let fails_fast = self.policy.fail_fast && unfinished.has_clear_sign();
        if unfinished.failed.is_empty() && !fails_fast {
            self.failed_since = None;
        } else {
            // Waits a little for targets in progress, so that one run reports all failures.
            let since = *self.failed_since.get_or_insert(clock.now);
            let is_over = !unfinished.has_progress() || clock.age(since) >= thresholds::FAILURE_GRACE;
            return if is_over {
                unfinished.failure()
            } else {
                Verdict::Waiting
            };
        }
        if unfinished.waiting.is_empty() {
            return Verdict::Ready;
        }
        if is_all_unknown {
            // The object with the result may arrive a moment later.
            let since = *self.unknown_since.get_or_insert(clock.now);
            return if clock.age(since) >= thresholds::FAILURE_GRACE {
                Verdict::Unknown
            } else {
                Verdict::Waiting
            };
        }
        if unfinished.has_progress() || !self.has_stalled(&unfinished, objects, clock) {
            return Verdict::Waiting;
        }
        unfinished.failure()
    }

    /// Whether the blocked targets have had their time limit and a complete attempt.
    fn has_stalled(&self, unfinished: &Unfinished, objects: &Objects, clock: Clock) -> bool {
        let Some(moved) = self.last_movement() else {
            return false;
        };
        let blocked = || {
            unfinished
                .waiting
                .iter()
                .filter(|(_, waiting)| waiting.class == WaitClass::Blocked)
        };
        let is_retried = |waiting: &Waiting| match waiting.last_attempt {
            Some(attempt) => attempt > moved,
            None => clock.age(moved) >= thresholds::LONGEST_RETRY,
        };
        if blocked().all(|(_, waiting)| waiting.is_crash_loop) {
            let is_over = clock.age(moved) >= thresholds::CRASH_LOOP;
            if is_over && blocked().all(|(_, waiting)| is_retried(waiting)) {
                return true;
            }
        }
        blocked().any(|(index, waiting)| is_retried(waiting) && self.is_out_of_time(*index, objects, clock))
    }

    /// Whether a target made no progress for its own time limit.
    fn is_out_of_time(&self, index: usize, objects: &Objects, clock: Clock) -> bool {
        let Tracked { target, moved, .. } = &self.targets[index];
        let idle = moved.map_or(SignedDuration::ZERO, |moved| clock.age(moved));
        let deployment = objects.deployments.get(&target.key());
        match deployment.filter(|_| target.kind == TargetKind::Deployment) {
            Some(deployment) => match deployment::deadline(deployment, clock) {
                Deadline::Over => true,
                Deadline::After(limit) => idle >= limit,
            },
            None => idle >= thresholds::STALL.max(target.time_limit.saturating_mul(2)),
        }
    }
}
