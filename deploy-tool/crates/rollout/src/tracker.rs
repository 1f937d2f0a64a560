//! When waiting has come to its end: what a release has come to, over time.
//!
//! Telling and deciding are two things. Whatever is wrong is told as soon as it is seen. Decided is at once only what
//! nothing else can put right; all the rest has failed when
//!
//! 1. nothing is unfinished that it could wait for: whatever is not there is blocked as well,
//! 2. nothing has moved for as long as the object itself gives: `progressDeadlineSeconds`, or [`thresholds::STALL`]; a
//!    release of which nothing is unfinished but crash loops, for [`thresholds::CRASH_LOOP`],
//! 3. and a whole attempt has failed since anything moved.

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::core::v1::Pod;

use crate::deployment::{self, Deadline};
use crate::movement::Movement;
use crate::ownership::pods_of_target;
use crate::status::{Phase, RolloutStatus, WaitClass, Waiting};
use crate::{Clock, Diagnosis, Objects, Target, TargetKind, evaluate, pod_view, scheduling, thresholds};
use diagnostics::code::rollout::{CONFIGURATION_MISSING, NOT_READY, PROGRESS_DEADLINE};

/// How somebody wants to wait.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    /// The first clear sign that something is wrong is a failure, though it might still come up.
    pub fail_fast: bool,
}

/// What a release has come to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing is decided yet.
    Waiting,
    /// Everything is there, and stays up as far as can be seen.
    Ready,
    /// It does not come up.
    Failed(Failed),
    /// Everything else is there, and how the rest ended nobody has seen.
    Unknown,
}

/// Why a release does not come up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failed {
    /// What decides it.
    pub first: Diagnosis,
    /// What else is wrong.
    pub others: Vec<Diagnosis>,
}

/// Follows the targets of a release.
#[derive(Clone, Debug)]
pub struct Tracker {
    targets: Vec<Tracked>,
    policy: Policy,
    /// Since when something has failed for good, while others are on their way.
    failed_since: Option<Timestamp>,
    /// Since when nothing is left but what nobody has seen the end of.
    unknown_since: Option<Timestamp>,
}

#[derive(Clone, Debug)]
struct Tracked {
    target: Target,
    movement: Movement,
    moved: Option<Timestamp>,
}

impl Tracker {
    /// Of these targets, in the order in which they were applied.
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

    /// Takes in how the cluster is. Says how far each target is, in their order, and what that comes to.
    pub fn observe(&mut self, objects: &Objects, clock: Clock) -> (Vec<RolloutStatus>, Verdict) {
        let mut statuses = Vec::with_capacity(self.targets.len());
        for tracked in &mut self.targets {
            let status = evaluate(&tracked.target, objects, clock);
            if tracked.movement.observe(&tracked.target, objects, &status) {
                tracked.moved = Some(clock.now);
            }
            statuses.push(status);
        }
        name_suppliers(&mut statuses);
        let verdict = self.decide(&statuses, objects, clock);
        (statuses, verdict)
    }

    /// When anything of the release moved last.
    pub fn last_movement(&self) -> Option<Timestamp> {
        self.targets.iter().filter_map(|tracked| tracked.moved).max()
    }

    /// Whether nodes are being added for what is waited for.
    pub fn has_scale_up(&self, objects: &Objects, clock: Clock) -> bool {
        let is_awaited =
            |pod: &Pod| pod_view::node_name(pod).is_none() && scheduling::has_scale_up(pod, objects, clock);
        let mut pods = self
            .targets
            .iter()
            .flat_map(|tracked| pods_of_target(&tracked.target, objects));
        pods.any(is_awaited)
    }

    /// Whether everything that is not there is blocked, and nothing has moved for a while: what comes later may help.
    pub fn is_blocked(&self, statuses: &[RolloutStatus], clock: Clock) -> bool {
        let is_idle = self
            .last_movement()
            .is_some_and(|moved| clock.age(moved) >= thresholds::FOLLOW);
        is_idle && !Unfinished::collect(statuses).moves()
    }

    fn decide(&mut self, statuses: &[RolloutStatus], objects: &Objects, clock: Clock) -> Verdict {
        let unfinished = Unfinished::collect(statuses);
        let fails_fast = self.policy.fail_fast && unfinished.has_clear_sign();
        if unfinished.failed.is_empty() && !fails_fast {
            self.failed_since = None;
        } else {
            // What is on its way may still end: one run names all causes.
            let since = *self.failed_since.get_or_insert(clock.now);
            let is_over = !unfinished.moves() || clock.age(since) >= thresholds::FOLLOW;
            return if is_over {
                unfinished.failure()
            } else {
                Verdict::Waiting
            };
        }
        if unfinished.waiting.is_empty() {
            return Verdict::Ready;
        }
        let is_unknown = |(_, waiting): &(usize, &Waiting)| waiting.class == WaitClass::Unknown;
        if unfinished.waiting.iter().all(is_unknown) {
            // What tells of an end may come a moment after it.
            let since = *self.unknown_since.get_or_insert(clock.now);
            return if clock.age(since) >= thresholds::FOLLOW {
                Verdict::Unknown
            } else {
                Verdict::Waiting
            };
        }
        if unfinished.moves() || !self.has_stalled(&unfinished, objects, clock) {
            return Verdict::Waiting;
        }
        unfinished.failure()
    }

    /// Whether what is blocked stays so.
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

    /// Whether nothing of a target has moved for as long as it may take by its own fields.
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

/// What is not there yet, of the statuses of a release.
struct Unfinished<'a> {
    statuses: &'a [RolloutStatus],
    failed: Vec<usize>,
    waiting: Vec<(usize, &'a Waiting)>,
}

impl<'a> Unfinished<'a> {
    fn collect(statuses: &'a [RolloutStatus]) -> Self {
        let mut unfinished = Self {
            statuses,
            failed: Vec::new(),
            waiting: Vec::new(),
        };
        for (index, status) in statuses.iter().enumerate() {
            match &status.phase {
                Phase::Done(_) => {}
                Phase::Failed(_) => unfinished.failed.push(index),
                Phase::Waiting(waiting) => unfinished.waiting.push((index, waiting)),
            }
        }
        unfinished
    }

    /// Whether something is on its way that others could wait for.
    fn moves(&self) -> bool {
        self.waiting.iter().any(|(_, waiting)| moves(waiting))
    }

    fn has_clear_sign(&self) -> bool {
        self.waiting
            .iter()
            .any(|(index, waiting)| self.is_clear(*index, waiting))
    }

    /// Whether a target shows a clear sign. What is missing may be what another one of the release is about to make.
    fn is_clear(&self, index: usize, waiting: &Waiting) -> bool {
        let others_move = || {
            self.waiting
                .iter()
                .any(|(other, waiting)| *other != index && moves(waiting))
        };
        waiting.is_clear && !(is_missing_configuration(waiting) && others_move())
    }

    /// The failure of the release: first what has failed for good, then clear signs, then what may be the others'
    /// consequence: a container that ends may wait for something else that way.
    fn failure(&self) -> Verdict {
        let of_failed = self
            .failed
            .iter()
            .filter_map(|index| match &self.statuses[*index].phase {
                Phase::Failed(diagnosis) => Some((0, (**diagnosis).clone())),
                Phase::Done(_) | Phase::Waiting(_) => None,
            });
        let blocked = self
            .waiting
            .iter()
            .filter(|(_, waiting)| waiting.class == WaitClass::Blocked);
        let of_blocked = blocked.filter_map(|(index, waiting)| {
            let diagnosis = waiting.diagnosis.clone()?;
            let rank = match (self.is_clear(*index, waiting), waiting.is_crash_loop) {
                (true, false) => 1,
                (true, true) => 2,
                (false, _) => 3,
            };
            // Where a sentence says nothing but that it is not ready, the deadline is the news.
            let is_vague = diagnosis.code == &PROGRESS_DEADLINE;
            let status = &self.statuses[*index];
            Some((
                rank,
                if is_vague {
                    deployment::out_of_time(status)
                } else {
                    diagnosis
                },
            ))
        });
        let mut all: Vec<(i32, Diagnosis)> = of_failed.chain(of_blocked).collect();
        all.sort_by_key(|(rank, _)| *rank);
        let mut diagnoses: Vec<Diagnosis> = Vec::new();
        for (_, diagnosis) in all {
            match diagnoses.iter_mut().find(|known| is_same(known, &diagnosis)) {
                Some(known) if known.sentence.len() > diagnosis.sentence.len() => *known = diagnosis,
                Some(_) => {}
                None => diagnoses.push(diagnosis),
            }
        }
        let mut diagnoses = diagnoses.into_iter();
        match diagnoses.next() {
            Some(first) => Verdict::Failed(Failed {
                first,
                others: diagnoses.collect(),
            }),
            None => Verdict::Waiting,
        }
    }
}

/// A workload says of its database what the database says itself, in fewer words.
fn is_same(left: &Diagnosis, right: &Diagnosis) -> bool {
    let repeats = |long: &str, short: &str| long.ends_with(short);
    left.code == right.code && (repeats(&left.sentence, &right.sentence) || repeats(&right.sentence, &left.sentence))
}

fn moves(waiting: &Waiting) -> bool {
    matches!(waiting.class, WaitClass::InProgress | WaitClass::Settling)
}

fn is_missing_configuration(waiting: &Waiting) -> bool {
    waiting
        .diagnosis
        .as_ref()
        .is_some_and(|found| found.code == &CONFIGURATION_MISSING)
}

/// Says of what is missing which of the release's objects may still bring it: Jobs, operators and their custom objects
/// make Secrets.
fn name_suppliers(statuses: &mut [RolloutStatus]) {
    let is_supplier = |waiting: &Waiting| {
        let is_custom = waiting.diagnosis.as_ref().is_some_and(|found| found.code == &NOT_READY);
        moves(waiting) || is_custom
    };
    let suppliers: Vec<String> = statuses
        .iter()
        .filter(|status| matches!(&status.phase, Phase::Waiting(waiting) if is_supplier(waiting)))
        .map(|status| status.title.clone())
        .collect();
    for status in statuses {
        let title = status.title.clone();
        if let Phase::Waiting(waiting) = &mut status.phase
            && is_missing_configuration(waiting)
            && let Some(supplier) = suppliers.iter().find(|supplier| **supplier != title)
        {
            waiting.reason = format!("{}; {supplier} may still make it", waiting.reason);
        }
    }
}
