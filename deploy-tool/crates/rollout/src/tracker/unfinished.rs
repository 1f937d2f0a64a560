//! What is still missing of a release, and the failure that it amounts to.

use super::verdict::{Failed, Verdict};
use crate::status::{Phase, RolloutStatus, WaitClass, Waiting};
use crate::{Diagnosis, deployment};
use diagnostics::code::rollout::{CONFIGURATION_MISSING, PROGRESS_DEADLINE};

/// The targets of a release that are not ready, by their index.
pub(super) struct Unfinished<'a> {
    statuses: &'a [RolloutStatus],
    pub failed: Vec<usize>,
    pub waiting: Vec<(usize, &'a Waiting)>,
}

impl<'a> Unfinished<'a> {
    pub fn collect(statuses: &'a [RolloutStatus]) -> Self {
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

    /// Whether a target is in progress, on which others may depend.
    pub fn has_progress(&self) -> bool {
        self.waiting.iter().any(|(_, waiting)| is_in_progress(waiting))
    }

    pub fn has_clear_sign(&self) -> bool {
        self.waiting
            .iter()
            .any(|(index, waiting)| self.is_clear(*index, waiting))
    }

    /// Whether a target shows a clear sign of a failure. A missing Secret or ConfigMap is none while others are in progress:
    /// one of them may create it.
    fn is_clear(&self, index: usize, waiting: &Waiting) -> bool {
        let others_progress = || {
            self.waiting
                .iter()
                .any(|(position, waiting)| *position != index && is_in_progress(waiting))
        };
        waiting.is_clear && !(is_missing_configuration(waiting) && others_progress())
    }

    /// The failure of the release: failed targets first, then clear signs, then possible consequences of these: a container
    /// that exits may do so because a dependency is missing.
    pub fn failure(&self) -> Verdict {
        let of_failed = self
            .failed
            .iter()
            .filter_map(|index| match &self.statuses[*index].phase {
                Phase::Failed(diagnosis) => Some((0, (**diagnosis).clone())),
                Phase::Done(_) | Phase::Waiting(_) => None,
            });
        // A clear sign may be that of one part, while another one is in progress, and with it the whole.
        let wrong = self
            .waiting
            .iter()
            .filter(|(index, waiting)| waiting.class == WaitClass::Blocked || self.is_clear(*index, waiting));
        let of_waiting = wrong.filter_map(|(index, waiting)| {
            let diagnosis = waiting.diagnosis.clone()?;
            let rank = match (self.is_clear(*index, waiting), waiting.is_crash_loop) {
                (true, false) => 1,
                (true, true) => 2,
                (false, _) => 3,
            };
            // This diagnosis only says that the target is not ready; the exceeded deadline is more precise.
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
        let mut all: Vec<(i32, Diagnosis)> = of_failed.chain(of_waiting).collect();
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

/// Whether two diagnoses have the same cause: a workload repeats the sentence of its database after a prefix.
fn is_same(left: &Diagnosis, right: &Diagnosis) -> bool {
    let repeats = |long: &str, short: &str| long.ends_with(short);
    left.code == right.code && (repeats(&left.sentence, &right.sentence) || repeats(&right.sentence, &left.sentence))
}

pub(super) fn is_in_progress(waiting: &Waiting) -> bool {
    matches!(waiting.class, WaitClass::InProgress | WaitClass::Settling)
}

pub(super) fn is_missing_configuration(waiting: &Waiting) -> bool {
    waiting
        .diagnosis
        .as_ref()
        .is_some_and(|found| found.code == &CONFIGURATION_MISSING)
}
