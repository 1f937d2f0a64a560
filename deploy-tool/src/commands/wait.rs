//! Edge: waits for a rollout. What the objects mean is decided in [`rollout`].

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::core::v1::Pod;
use kube::api::{ApiResource, DeleteParams, DynamicObject, Patch, PatchParams, Preconditions};
use kube::core::GroupVersionKind;
use kube::{Api, ResourceExt};
use serde_json::json;
use tokio::time::Instant;

use crate::cli::WaitArguments;
use cluster::client::explain;
use cluster::watch::Watch;
use cluster::{Cluster, pods};
use diagnostics::code::rollout::{JOB_END_UNKNOWN, NOT_IN_TIME};
use diagnostics::{Error, Result};
use rollout::{
    Clock, Controller, Diagnosis, Failed, Objects, Phase, Policy, RolloutStatus, Row, Target, Tracker, Verdict,
    thresholds,
};
use terminal::Progress;

/// Of more objects than these, the sentence says only how many there are.
const MOST_NAMED: usize = 4;
/// Any change of a controller's object makes it look again.
const RETRIED_ANNOTATION: &str = "deploy-tool.dev/retried";
/// Of a thousand objects that wait, so many are named.
const MOST_OTHERS: usize = 20;
/// Of those, so many with what their logs say.
const MOST_WITH_EVIDENCE: usize = 3;
/// Much is decided by time alone, without any change in the cluster.
const RECKONING_INTERVAL: Duration = Duration::from_secs(1);
/// Controllers that are refused again and again are asked at most so often to try again.
const TRIGGER_INTERVAL: SignedDuration = SignedDuration::from_secs(10);
/// What is refused in the moment in which something moves may have been refused for that.
const NUDGE_DELAY: SignedDuration = SignedDuration::from_secs(2);

/// How to wait.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// How long at most; by default longer than any deadline in the objects.
    pub limit: Option<Duration>,
    /// When to give up before.
    pub policy: Policy,
    /// There is more to apply: what is blocked may wait for that.
    pub more_comes: bool,
}

impl From<WaitArguments> for Options {
    fn from(arguments: WaitArguments) -> Self {
        Self {
            limit: arguments.timeout,
            policy: Policy {
                fail_fast: arguments.fail_fast,
            },
            more_comes: false,
        }
    }
}

impl Options {
    /// The same, while there is more to apply. Whoever wants to fail fast does not go on with something wrong.
    #[must_use]
    pub fn before_more(self) -> Self {
        Self {
            more_comes: !self.policy.fail_fast,
            ..self
        }
    }

    /// As somebody says who knows how long it takes.
    pub fn limited(limit: Duration) -> Self {
        Self {
            limit: Some(limit),
            ..Self::default()
        }
    }
}

/// Waits until all targets are there, and seem to stay. Returns the sentence that says so.
///
/// # Errors
/// When one of them will not come up, or the time is over.
pub async fn for_targets(
    cluster: &Cluster,
    progress: &Progress,
    targets: &[Target],
    since: Timestamp,
    options: Options,
) -> Result<String> {
    let nothing_to_note = async |_: &Target| Ok(());
    for_targets_noting_ends(cluster, progress, targets, since, options, nothing_to_note).await
}

/// The same. `note` is told of each target that removes itself, once it has ended well: nobody can see that later.
///
/// # Errors
/// When one of them will not come up, the time is over, or the note cannot be taken.
pub async fn for_targets_noting_ends(
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
    let mut ticks = tokio::time::interval(RECKONING_INTERVAL);
    let began = Instant::now();
    let since = Clock::new(since, since).since;
    let mut tracker = Tracker::new(targets, options.policy);
    let mut limit = options.limit.unwrap_or_else(|| default_limit(targets));
    let mut statuses = Vec::new();
    let (mut is_first_look, mut triggered) = (true, None);
    let (mut replaced, mut noted) = (BTreeSet::new(), BTreeSet::new());
    loop {
        tokio::select! {
            () = watch.changed() => {}
            _ = ticks.tick() => {}
            () = tokio::time::sleep_until(began + limit) => {
                return Err(timeout_error(cluster, limit, &statuses, watch.trouble.as_deref()).await);
            }
        }
        if !watch.complete() {
            continue;
        }
        let now = cluster.now();
        let moved = tracker.last_movement().map_or(since, |moved| moved - NUDGE_DELAY);
        if triggered
            .is_none_or(|triggered: Timestamp| now.duration_since(triggered) >= TRIGGER_INTERVAL && moved > triggered)
        {
            let is_any = trigger_retries(cluster, targets, &watch, moved).await?;
            triggered = triggered.max(is_any.then_some(now));
        }
        replace_broken_pods(cluster, targets, &watch, since, &mut replaced).await?;
        read_last_words(cluster, &mut watch.objects).await;
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
            // What watches have told may be late: before anything is called ready, it is read once more.
            Verdict::Ready if is_first_look => return Ok(ready(&statuses, &replaced)),
            Verdict::Ready => {
                relist(cluster, targets, &mut watch).await?;
                is_first_look = true;
                continue;
            }
            Verdict::Failed(failed) => return Err(explain_failure(cluster, failed).await),
            Verdict::Unknown => return Err(unknown(&statuses)),
            Verdict::Waiting if options.more_comes && tracker.is_blocked(&statuses, clock) => {
                return Ok(ready(&statuses, &replaced));
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

fn ready(statuses: &[RolloutStatus], replaced: &BTreeSet<String>) -> String {
    let sentences: Vec<String> = statuses.iter().map(RolloutStatus::sentence).collect();
    let sentence = match sentences.len() {
        // The rows have said each of them.
        count if count > MOST_NAMED => format!("all {count} objects"),
        _ => sentences.join(", "),
    };
    if replaced.is_empty() {
        return sentence;
    }
    let names: Vec<&str> = replaced.iter().map(String::as_str).collect();
    format!("{sentence}; replaced broken pods: {}", names.join(", "))
}

/// Reads everything from the server itself, in place of what watches have told. Jobs that are gone are not forgotten.
async fn relist(cluster: &Cluster, targets: &[Target], watch: &mut Watch) -> Result<()> {
    let mut fresh = Watch::start(cluster, targets).await?;
    let gone = std::mem::take(&mut watch.objects.gone_jobs);
    fresh.objects.gone_jobs = gone;
    fresh.objects.last_words = std::mem::take(&mut watch.objects.last_words);
    *watch = fresh;
    Ok(())
}

/// Asks for what containers wrote that have just ended and may have been no program for the node: it tells at once what
/// an exit code does not.
async fn read_last_words(cluster: &Cluster, objects: &mut Objects) {
    for (container_id, evidence) in rollout::unread_logs(objects) {
        let words = pods::evidence(cluster, &evidence).await;
        objects.last_words.insert(container_id, words);
    }
}

/// Makes controllers try again at once that would wait for minutes, though what held them up may be put right. Says
/// whether there were any.
async fn trigger_retries(cluster: &Cluster, targets: &[Target], watch: &Watch, since: Timestamp) -> Result<bool> {
    let mut is_any = false;
    for Controller { kind, namespace, name } in targets
        .iter()
        .filter_map(|target| rollout::refused_before(target, &watch.objects, since))
    {
        let group = if kind == "Job" { "batch" } else { "apps" };
        let resource = ApiResource::from_gvk(&GroupVersionKind::gvk(group, "v1", kind));
        let api: Api<DynamicObject> = Api::namespaced_with(cluster.client.clone(), &namespace, &resource);
        let patch = Patch::Merge(json!({"metadata": {"annotations": {RETRIED_ANNOTATION: since.to_string()}}}));
        let what = format!("cannot make {kind} `{name}` try again");
        cluster
            .call(&what, api.patch_metadata(&name, &PatchParams::default(), &patch))
            .await?;
        is_any = true;
    }
    Ok(is_any)
}

/// Deletes broken pods, whose controllers make new ones.
async fn replace_broken_pods(
    cluster: &Cluster,
    targets: &[Target],
    watch: &Watch,
    since: Timestamp,
    replaced: &mut BTreeSet<String>,
) -> Result<()> {
    for pod in targets
        .iter()
        .flat_map(|target| rollout::pods_to_replace(target, &watch.objects, since))
    {
        let name = pod.name_any();
        let api: Api<Pod> = Api::namespaced(cluster.client.clone(), &pod.namespace().unwrap_or_default());
        let preconditions = Preconditions {
            uid: pod.uid(),
            resource_version: None,
        };
        let parameters = DeleteParams::default().preconditions(preconditions);
        let what = format!("cannot delete the broken pod `{name}`");
        match cluster.answer(&what, api.delete(&name, &parameters)).await? {
            Ok(_) => _ = replaced.insert(name),
            // Somebody was faster.
            Err(kube::Error::Api(status)) if status.code == 404 || status.code == 409 => {}
            Err(error) => return Err(Error::cluster(what).cause(explain(&error))),
        }
    }
    Ok(())
}

/// The failure, with what the cluster answers when it is asked for the evidence.
async fn explain_failure(cluster: &Cluster, Failed { first, others }: Failed) -> Error {
    let mut shown = Vec::new();
    for evidence in &first.evidence {
        shown.push(pods::evidence(cluster, evidence).await);
    }
    let failure = first.into_error(&shown);
    if others.is_empty() {
        return failure;
    }
    let others = others.iter().take(MOST_OTHERS).map(also).collect::<Vec<_>>();
    failure.detail(others.join("\n"))
}

/// What else is wrong, in a line.
fn also(diagnosis: &Diagnosis) -> String {
    format!(
        "also {}: {}; next: {}",
        diagnosis.code, diagnosis.sentence, diagnosis.hint
    )
}

/// The time is over, and nothing is decided: what each object waits for, and of the first ones what the cluster answers
/// when it is asked for the evidence.
async fn timeout_error(cluster: &Cluster, limit: Duration, statuses: &[RolloutStatus], trouble: Option<&str>) -> Error {
    let mut failure = Error::undecided(format!("not ready within {} s, and not failed either", limit.as_secs()));
    if let Some(trouble) = trouble {
        failure = failure.cause(format!("the watch is broken: {trouble}"));
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

/// Nothing is left but what nobody has seen the end of.
fn unknown(statuses: &[RolloutStatus]) -> Error {
    let left = statuses
        .iter()
        .filter(|status| matches!(status.phase, Phase::Waiting(_)));
    let sentences: Vec<String> = left.map(RolloutStatus::sentence).collect();
    Error::undecided("everything else is ready, and how a Job ended is not known")
        .code(&JOB_END_UNKNOWN)
        .detail(sentences.join("\n"))
        .hint("look for what it was to do; give it a longer `ttlSecondsAfterFinished`, so that its end can be seen")
}

/// How the live table shows what is waited for.
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
