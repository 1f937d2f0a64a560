//! Edge: waits for a rollout. What the objects mean is decided in [`rollout`].

mod failure;
mod retry;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

use crate::cli::WaitArguments;
use cluster::watch::Watch;
use cluster::{Cluster, pods};
use diagnostics::Result;
use failure::{explain_failure, timeout_error, unknown};
use retry::{BrokenPods, trigger_retries};
use rollout::{Clock, Objects, Phase, Policy, RolloutStatus, Row, Target, Tracker, Verdict, thresholds};
use terminal::{Progress, detail};

/// With more objects than this, the sentence has only their number.
const MOST_NAMED: usize = 4;
/// Much is decided by time alone, without any change in the cluster.
const EVALUATION_INTERVAL: Duration = Duration::from_secs(1);
/// Controllers that are refused again and again are asked at most so often to try again.
const TRIGGER_INTERVAL: SignedDuration = SignedDuration::from_secs(10);
/// A log that cannot be read is asked for so often: the kubelet may be busy, or not allow it at all.
const MOST_LOG_ATTEMPTS: u32 = 3;
/// A refusal that is this close to progress of another object may be caused by it.
const NUDGE_DELAY: SignedDuration = SignedDuration::from_secs(2);

/// How to wait.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// How long at most; by default longer than any deadline in the objects.
    pub limit: Option<Duration>,
    /// When to give up before.
    pub policy: Policy,
    /// Whether further waves follow, which blocked targets may need.
    pub has_further_waves: bool,
}

impl From<WaitArguments> for Options {
    fn from(arguments: WaitArguments) -> Self {
        Self {
            limit: arguments.timeout,
            policy: Policy {
                fail_fast: arguments.fail_fast,
            },
            has_further_waves: false,
        }
    }
}

impl Options {
    /// The same options for a wave that others follow. With `fail_fast`, blocked targets do not wait for these.
    #[must_use]
    pub fn before_further_waves(self) -> Self {
        Self {
            has_further_waves: !self.policy.fail_fast,
            ..self
        }
    }

    /// The default options with a time limit.
    pub fn with_limit(limit: Duration) -> Self {
        Self {
            limit: Some(limit),
            ..Self::default()
        }
    }
}

/// Waits until all targets are ready and settled. Returns a sentence about them.
///
/// # Errors
/// When one of them fails, or after the time limit.
pub async fn await_targets(
    cluster: &Cluster,
    progress: &Progress,
    targets: &[Target],
    since: Timestamp,
    options: Options,
) -> Result<String> {
    let no_callback = async |_: &Target| Ok(());
    await_targets_with(cluster, progress, targets, since, options, no_callback).await
}

/// The same. `note` is called with each target that has succeeded and will be deleted by its TTL: later, the cluster does
/// not show that it has run.
///
/// # Errors
/// When one of them fails, after the time limit, or when `note` fails.
pub async fn await_targets_with(
    cluster: &Cluster,
    progress: &Progress,
    targets: &[Target],
    since: Timestamp,
    options: Options,
    note: impl AsyncFn(&Target) -> Result<()>,
) -> Result<String> {
    if targets.is_empty() {
        return Ok("nothing to wait for".to_owned());
    }
    let mut watch = Watch::start(cluster, targets).await?;
    let mut ticks = tokio::time::interval(EVALUATION_INTERVAL);
    let began = Instant::now();
    let since = Clock::new(since, since).since;
    let mut tracker = Tracker::new(targets, options.policy);
    let mut limit = options.limit.unwrap_or_else(|| default_limit(targets));
    let mut statuses = Vec::new();
    let (mut is_first_look, mut triggered) = (true, None);
    let (mut broken_pods, mut noted, mut unread_logs) = (BrokenPods::default(), BTreeSet::new(), BTreeMap::new());
    loop {
        tokio::select! {
            () = watch.changed() => {}
            _ = ticks.tick() => {}
            () = tokio::time::sleep_until(began + limit) => {
                let failure = timeout_error(cluster, limit, &statuses, watch.last_error.as_deref()).await;
                return Err(broken_pods.explain(failure));
            }
        }
        if !watch.is_complete() {
            continue;
        }
        let now = cluster.now();
        let moved = tracker.last_movement().map_or(since, |moved| moved - NUDGE_DELAY);
        if triggered
            .is_none_or(|triggered: Timestamp| now.duration_since(triggered) >= TRIGGER_INTERVAL && moved > triggered)
        {
            let is_any = trigger_retries(cluster, targets, &watch, moved).await;
            triggered = triggered.max(is_any.then_some(now));
        }
        broken_pods.delete(cluster, targets, &watch, since).await;
        read_last_words(cluster, &mut watch.objects, &mut unread_logs).await;
        let clock = Clock::new(cluster.now(), since);
        let verdict;
        (statuses, verdict) = tracker.observe(&watch.objects, clock);
        progress.rows(statuses.iter().map(Row::from).map(row).collect());
        for (target, status) in targets.iter().zip(&statuses) {
            let has_ended = target.removes_itself && matches!(status.phase, Phase::Done(_));
            if has_ended && noted.insert(target.key()) {
                note(target).await?;
            }
        }
        match verdict {
            // Watches may be late: before the targets are ready, all objects are read once more.
            Verdict::Ready if is_first_look => return Ok(ready(&statuses, &broken_pods.deleted())),
            Verdict::Ready => {
                watch.list_again(cluster);
                is_first_look = true;
                continue;
            }
            Verdict::Failed(failed) => return Err(broken_pods.explain(explain_failure(cluster, failed).await)),
            Verdict::Unknown => return Err(unknown(&statuses)),
            Verdict::Waiting if options.has_further_waves && tracker.is_blocked(&statuses, clock) => {
                return Ok(ready(&statuses, &broken_pods.deleted()));
            }
            Verdict::Waiting => {
                let first = statuses.iter().find(|status| matches!(status.phase, Phase::Waiting(_)));
                progress.activity(&first.map(RolloutStatus::sentence).unwrap_or_default());
            }
        }
        if options.limit.is_none() && tracker.has_scale_up(&watch.objects, clock) {
            limit = limit.max(thresholds::TIME_LIMIT_FOR_NODES.unsigned_abs());
        }
        is_first_look = false;
    }
}

fn default_limit(targets: &[Target]) -> Duration {
    rollout::default_time_limit(targets).unsigned_abs()
}

fn ready(statuses: &[RolloutStatus], replaced: &[&str]) -> String {
    let sentences: Vec<String> = statuses.iter().map(RolloutStatus::sentence).collect();
    let sentence = match sentences.len() {
        // The rows have said each of them.
        count if count > MOST_NAMED => format!("all {count} objects"),
        _ => sentences.join(", "),
    };
    if replaced.is_empty() {
        return sentence;
    }
    format!("{sentence}; replaced broken pods: {}", replaced.join(", "))
}

/// Reads the logs of containers that have just exited and may have been executed as a native program: unlike the exit code,
/// the log shows that. One that cannot be read proves nothing; `failures` counts the attempts by the container's id.
async fn read_last_words(cluster: &Cluster, objects: &mut Objects, failures: &mut BTreeMap<String, u32>) {
    for (container_id, log) in rollout::unread_logs(objects) {
        let failed = failures.entry(container_id.clone()).or_default();
        if *failed >= MOST_LOG_ATTEMPTS {
            continue;
        }
        match pods::last_lines(cluster, &log).await {
            Ok(words) => _ = objects.last_words.insert(container_id, words),
            Err(reason) => {
                *failed += 1;
                detail(&format!(
                    "the log of container `{}` of pod `{}` cannot be read: {reason}",
                    log.container, log.pod
                ));
            }
        }
    }
}

/// The row of a target in the live table.
fn row(row: rollout::Row) -> terminal::Row {
    terminal::Row {
        title: row.title,
        state: match row.state {
            rollout::RowState::Failed => terminal::RowState::Failed,
            rollout::RowState::Waiting => terminal::RowState::Waiting,
            rollout::RowState::Done => terminal::RowState::Done,
        },
        ready: row.ready,
        reason: row.reason,
    }
}
