//! Edge: the error for a failed rollout, with evidence from the cluster, such as logs.

use std::time::Duration;

use cluster::{Cluster, pods};
use diagnostics::Error;
use diagnostics::code::rollout::{JOB_END_UNKNOWN, NOT_IN_TIME};
use rollout::{Diagnosis, Failed, Phase, RolloutStatus};

/// Of a thousand objects that wait, so many are named.
const MOST_OTHERS: usize = 20;
/// Limit of the diagnoses with the end of a log.
const MOST_WITH_EVIDENCE: usize = 3;

/// The failure, with what the cluster answers when it is asked for the evidence.
pub async fn explain_failure(cluster: &Cluster, Failed { first, others }: Failed) -> Error {
    let mut shown = Vec::new();
    for evidence in &first.evidence {
        shown.push(pods::evidence(cluster, evidence).await);
    }
    let failure = first.into_error(&shown);
    if others.is_empty() {
        return failure;
    }
    let others = others.iter().take(MOST_OTHERS).map(format_further).collect::<Vec<_>>();
    failure.detail(others.join("\n"))
}

/// A further diagnosis, in one line.
fn format_further(diagnosis: &Diagnosis) -> String {
    format!(
        "also {}: {}; next: {}",
        diagnosis.code, diagnosis.sentence, diagnosis.hint
    )
}

/// The time is over, and nothing is decided: what each object waits for, and of the first ones what the cluster answers
/// when it is asked for the evidence.
pub async fn timeout_error(
    cluster: &Cluster,
    limit: Duration,
    statuses: &[RolloutStatus],
    last_error: Option<&str>,
) -> Error {
    let mut failure = Error::undecided(format!("not ready within {} s, and not failed either", limit.as_secs()));
    if let Some(last_error) = last_error {
        failure = failure.cause(format!("the watch is broken: {last_error}"));
    }
    let waiting = statuses.iter().filter_map(|status| match &status.phase {
        Phase::Waiting(waiting) => Some((status, waiting)),
        Phase::Done(_) | Phase::Failed(_) => None,
    });
    let waiting: Vec<_> = waiting.take(MOST_OTHERS).collect();
    for (index, (status, waiting)) in waiting.iter().enumerate() {
        let Some(diagnosis) = &waiting.diagnosis else {
            failure = failure.detail(status.sentence());
            continue;
        };
        let sentence = format!("{} {}; next: {}", diagnosis.code, status.sentence(), diagnosis.hint);
        failure = failure.detail(sentence);
        for evidence in diagnosis.evidence.iter().filter(|_| index < MOST_WITH_EVIDENCE) {
            failure = failure.detail(pods::evidence(cluster, evidence).await);
        }
    }
    if waiting.is_empty() {
        failure = failure.detail(if statuses.is_empty() {
            "nothing is known of the objects yet"
        } else {
            "everything was ready, and could not be read once more to make sure"
        });
    }
    failure
        .code(&NOT_IN_TIME)
        .hint("run the same command again: it goes on from here; wait longer with --timeout")
}

/// The error for remaining targets with an unknown result.
pub fn unknown(statuses: &[RolloutStatus]) -> Error {
    let left = statuses
        .iter()
        .filter(|status| matches!(status.phase, Phase::Waiting(_)));
    let sentences: Vec<String> = left.map(RolloutStatus::sentence).collect();
    Error::undecided("everything else is ready, and how a Job ended is not known")
        .code(&JOB_END_UNKNOWN)
        .detail(sentences.join("\n"))
        .hint("look for what it was to do; give it a longer `ttlSecondsAfterFinished`, so that its end can be seen")
}
