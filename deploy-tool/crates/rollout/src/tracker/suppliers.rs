//! Names the objects of a release that may still create a missing Secret or ConfigMap.

use super::unfinished::{is_in_progress, is_missing_configuration};
use crate::status::{Phase, RolloutStatus, Waiting};
use diagnostics::code::rollout::NOT_READY;

/// Adds to each target with missing configuration the name of a target that may still create it: Jobs, operators and
/// custom resources create Secrets.
pub(super) fn name_suppliers(statuses: &mut [RolloutStatus]) {
    let is_supplier = |waiting: &Waiting| {
        let is_custom = waiting.diagnosis.as_ref().is_some_and(|found| found.code == &NOT_READY);
        is_in_progress(waiting) || is_custom
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
