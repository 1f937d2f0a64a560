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
use diagnostics::{Error, Result};
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
    let mut rollout = Rollout::start(cluster, targets, since, options).await?;
    let mut ticks = tokio::time::interval(EVALUATION_INTERVAL);
    let mut noted = BTreeSet::new();
    loop {
        let deadline = rollout.began + rollout.limit;
        tokio::select! {
            () = rollout.watch.changed() => {}
            _ = ticks.tick() => {}
            () = tokio::time::sleep_until(deadline) => return Err(rollout.timeout_error().await),
        }
        if !rollout.watch.is_complete() {
            continue;
        }
        rollout.unblock().await;
        let clock = Clock::new(cluster.now(), rollout.since);
        let verdict;
        (rollout.statuses, verdict) = rollout.tracker.observe(&rollout.watch.objects, clock);
        progress.rows(rollout.statuses.iter().map(Row::from).map(row).collect());
        for target in rollout.removed_by_themselves() {
            if noted.insert(target.key()) {
                note(target).await?;
            }
        }
        if let Some(outcome) = rollout.conclude(progress, verdict, clock).await {
            return outcome;
        }
    }
}

/// A rollout that is waited for.
struct Rollout<'a> {
    cluster: &'a Cluster,
    targets: &'a [Target],
    options: Options,
    since: Timestamp,
    began: Instant,
    limit: Duration,
    watch: Watch,
    tracker: Tracker,
    statuses: Vec<RolloutStatus>,
    /// Whether the watches have just listed all objects.
    is_first_look: bool,
    /// When controllers were last asked to try again.
    triggered: Option<Timestamp>,
    broken_pods: BrokenPods,
    /// How often the log of a container could not be read, by the container's id.
    unread_logs: BTreeMap<String, u32>,
}

impl<'a> Rollout<'a> {
    async fn start(cluster: &'a Cluster, targets: &'a [Target], since: Timestamp, options: Options) -> Result<Self> {
        let watch = Watch::start(cluster, targets).await?;
        let default_limit = || rollout::default_time_limit(targets).unsigned_abs();
        Ok(Self {
            cluster,
            targets,
            options,
            since: Clock::new(since, since).since,
            began: Instant::now(),
            limit: options.limit.unwrap_or_else(default_limit),
            watch,
            tracker: Tracker::new(targets, options.policy),
            statuses: Vec::new(),
            is_first_look: true,
            triggered: None,
            broken_pods: BrokenPods::default(),
            unread_logs: BTreeMap::new(),
        })
    }

    async fn timeout_error(&self) -> Error {
        let last_error = self.watch.last_error.as_deref();
        let error = timeout_error(self.cluster, self.limit, &self.statuses, last_error).await;
        self.broken_pods.explain(error)
    }

    /// Does what lets the rollout continue: asks controllers to try again, deletes pods that block their StatefulSet, and reads
    /// the logs that a verdict depends on.
    async fn unblock(&mut self) {
        let now = self.cluster.now();
        let moved = self.tracker.last_movement();
        let moved = moved.map_or(self.since, |moved| moved - NUDGE_DELAY);
        let is_due = |triggered| now.duration_since(triggered) >= TRIGGER_INTERVAL && moved > triggered;
        if self.triggered.is_none_or(is_due) {
            let is_any = trigger_retries(self.cluster, self.targets, &self.watch, moved).await;
            self.triggered = self.triggered.max(is_any.then_some(now));
        }
        self.broken_pods
            .delete(self.cluster, self.targets, &self.watch, self.since)
            .await;
        read_last_words(self.cluster, &mut self.watch.objects, &mut self.unread_logs).await;
    }

    /// The targets that have succeeded, and will be deleted by their TTL.
    fn removed_by_themselves(&self) -> impl Iterator<Item = &'a Target> {
        let has_ended = |(target, status): &(&Target, &RolloutStatus)| {
            target.removes_itself && matches!(status.phase, Phase::Done(_))
        };
        let pairs = self.targets.iter().zip(&self.statuses);
        pairs.filter(has_ended).map(|(target, _)| target)
    }

    /// The outcome, unless it has to be waited for.
    async fn conclude(&mut self, progress: &Progress, verdict: Verdict, clock: Clock) -> Option<Result<String>> {
        match verdict {
            // Watches may be late: before the targets are ready, all objects are read once more.
            Verdict::Ready if !self.is_first_look => {
                self.watch.list_again(self.cluster);
                self.is_first_look = true;
                return None;
            }
            Verdict::Ready => return Some(Ok(ready(&self.statuses, &self.broken_pods.deleted()))),
            Verdict::Failed(failed) => {
                let error = explain_failure(self.cluster, failed).await;
                return Some(Err(self.broken_pods.explain(error)));
            }
            Verdict::Unknown => return Some(Err(unknown(&self.statuses))),
            Verdict::Waiting if self.options.has_further_waves && self.tracker.is_blocked(&self.statuses, clock) => {
                return Some(Ok(ready(&self.statuses, &self.broken_pods.deleted())));
            }
            Verdict::Waiting => {
                let is_waiting = |status: &&RolloutStatus| matches!(status.phase, Phase::Waiting(_));
                let first = self.statuses.iter().find(is_waiting);
                progress.activity(&first.map(RolloutStatus::sentence).unwrap_or_default());
            }
        }
        if self.options.limit.is_none() && self.tracker.has_scale_up(&self.watch.objects, clock) {
            self.limit = self.limit.max(thresholds::TIME_LIMIT_FOR_NODES.unsigned_abs());
        }
        self.is_first_look = false;
        None
    }
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
