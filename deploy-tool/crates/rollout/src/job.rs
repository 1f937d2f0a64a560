//! How far a Job is.

use k8s_openapi::api::batch::v1::{Job, JobCondition};
use k8s_openapi::api::core::v1::{Event, Pod};

use crate::ownership::pods_of;
use crate::presence::{self, Presence};
use crate::status::{Phase, ReadyCount, RolloutStatus, WaitClass, Waiting};
use crate::{Clock, Diagnosis, Objects, Target, events, failed_create, pod, pod_view, probe};
use diagnostics::code::rollout::{CRASH_LOOP, GONE, JOB_FAILED, LIVENESS_PROBE, OUT_OF_MEMORY, STARTUP_PROBE};

/// What the controller of Jobs writes when one has failed for good.
/// <https://kubernetes.io/docs/concepts/workloads/controllers/job/#terminal-job-conditions>
const FAILURES: [&str; 6] = [
    "BackoffLimitExceeded",
    "DeadlineExceeded",
    "PodFailurePolicy",
    "FailedIndexes",
    "MaxFailedIndexesExceeded",
    "SuccessPolicyNotMet",
];

pub fn evaluate(target: &Target, objects: &Objects, clock: Clock) -> RolloutStatus {
    let Some(job) = objects.jobs.get(&target.key()) else {
        return target.status(None, missing(target, objects, clock));
    };
    let wanted = job.spec.as_ref().and_then(|spec| spec.completions).unwrap_or(1);
    let succeeded = job.status.as_ref().and_then(|status| status.succeeded);
    let count = ReadyCount::new(succeeded.unwrap_or(0), wanted);
    let phase = ended(job, objects).unwrap_or_else(|| match presence::find(target, Some(job), clock) {
        Presence::Present(job) => unfinished(target, job, objects, clock),
        Presence::Absent(phase) => phase,
    });
    target.status(Some(count), phase)
}

/// A Job is missing when it was deleted by its `ttlSecondsAfterFinished`, or by a user.
fn missing(target: &Target, objects: &Objects, clock: Clock) -> Phase {
    let last_seen = objects.gone_jobs.get(&target.key());
    let last_seen = last_seen.filter(|job| target.uid.is_none() || job.metadata.uid == target.uid);
    if let Some(phase) = last_seen.and_then(|job| ended(job, objects)) {
        return phase;
    }
    let about = |event: &&Event| target.uid.is_some() && event.involved_object.uid == target.uid;
    let reasons: Vec<&Event> = events::list_by_name(objects, &target.namespace, &target.name)
        .filter(about)
        .collect();
    let has = |reason: &str| reasons.iter().find(|event| event.reason.as_deref() == Some(reason));
    if has("Completed").is_some() {
        return Phase::done_with_note("complete, and gone since");
    }
    if let Some(event) = FAILURES.iter().find_map(|reason| has(reason)) {
        let reason = event.reason.as_deref().unwrap_or_default();
        return failure(&target.namespace, &target.name, reason, events::message(event)).failed();
    }
    if last_seen.is_none() && target.removes_itself {
        let reason = "gone by its `ttlSecondsAfterFinished`, and how it ended was not seen";
        return Waiting::new(WaitClass::Unknown, reason).into();
    }
    if last_seen.is_none() {
        return match presence::find::<Job>(target, None, clock) {
            Presence::Present(_) => Phase::DONE,
            Presence::Absent(phase) => phase,
        };
    }
    let sentence = format!("{} was removed before it ended", target.title());
    let next = "find out who deletes it; then run the same command again";
    Diagnosis::new(&GONE, sentence, next).failed()
}

/// How it has ended, if it has.
fn ended(job: &Job, objects: &Objects) -> Option<Phase> {
    if condition(job, "Complete").is_some() {
        return Some(Phase::done_with_note("complete"));
    }
    // The controller has decided; the pods that are left are ended first.
    let failed = condition(job, "Failed").or_else(|| condition(job, "FailureTarget"))?;
    let why = failed.reason.as_deref().unwrap_or_default();
    let message = failed.message.as_deref().unwrap_or_default();
    let name = job.metadata.name.as_deref().unwrap_or_default();
    let namespace = job.metadata.namespace.as_deref().unwrap_or_default();
    let failure = failure(namespace, name, why, message);
    Some(with_last_pod(failure, job, objects).failed())
}

fn condition<'a>(job: &'a Job, kind: &str) -> Option<&'a JobCondition> {
    let conditions = job.status.iter().flat_map(|status| status.conditions.iter().flatten());
    let mut found = conditions.filter(|condition| condition.type_ == kind && condition.status == "True");
    found.next()
}

/// Whether it has ended, well or badly.
pub fn has_ended(job: &Job) -> bool {
    let kinds = ["Complete", "Failed", "FailureTarget"];
    kinds.iter().any(|kind| condition(job, kind).is_some())
}

/// The phase of a running Job. Its `backoffLimit` and `activeDeadlineSeconds` decide about exits of containers and about
/// time; neither covers a pod that cannot be started.
fn unfinished(target: &Target, job: &Job, objects: &Objects, clock: Clock) -> Phase {
    if job.spec.as_ref().and_then(|spec| spec.suspend) == Some(true) {
        return if target.is_held {
            Phase::done_with_note("suspended, as its manifest says")
        } else {
            Phase::in_progress("suspended, such as by a queue of Jobs")
        };
    }
    if let Some(refused) = failed_create::evaluate(objects, &job.metadata, &target.title(), clock) {
        return refused;
    }
    let current = |pod: &&Pod| pod_view::is_unfinished(pod) && !pod_view::is_ready(pod);
    let parts = pods(job, objects).filter(current).map(|pod| {
        let min_ready = jiff::SignedDuration::ZERO;
        match pod::evaluate(pod, objects, None, min_ready, clock) {
            Phase::Waiting(waiting) if is_counted(&waiting) => Phase::in_progress(waiting.reason),
            phase => phase,
        }
    });
    match Phase::of_parts(parts, true) {
        Phase::Done(_) => Phase::in_progress(match job.status.as_ref().and_then(|status| status.failed) {
            Some(failed) if failed > 0 => format!("it runs; {failed} of its pods have failed"),
            _ => "it runs".to_owned(),
        }),
        phase => phase,
    }
}

/// Whether a container has run and ended: the Job counts that.
fn is_counted(waiting: &Waiting) -> bool {
    let counted = [&CRASH_LOOP, &OUT_OF_MEMORY, &STARTUP_PROBE, &LIVENESS_PROBE];
    waiting
        .diagnosis
        .as_ref()
        .is_some_and(|found| counted.contains(&found.code))
}

fn failure(namespace: &str, name: &str, why: &str, message: &str) -> Diagnosis {
    let next = format!(
        "correct what the last lines name; a Job cannot be changed, so recreate it: \
         `kubectl --namespace {namespace} delete job {name}`, then the same command again"
    );
    Diagnosis::new(&JOB_FAILED, format!("Job `{name}` has failed: {message} ({why})"), next)
}

/// The failure, with how its last pod ended.
fn with_last_pod(failure: Diagnosis, job: &Job, objects: &Objects) -> Diagnosis {
    let failed = |pod: &&Pod| pod_view::phase(pod) == Some("Failed");
    let Some(pod) = pods(job, objects)
        .filter(failed)
        .max_by_key(|pod| pod_view::created(pod))
    else {
        return failure;
    };
    let ended = pod_view::containers(pod).find_map(|(_, status)| {
        let ended = pod_view::ended(status)?;
        (ended.exit_code != 0).then_some((status, ended))
    });
    let Some((status, ended)) = ended else {
        return failure;
    };
    let line = format!(
        "container `{}` of {} ended with exit code {}",
        status.name,
        pod_view::title(pod),
        ended.exit_code
    );
    failure.detail(vec![line]).with(probe::logs(pod, status))
}

fn pods<'a>(job: &Job, objects: &'a Objects) -> impl Iterator<Item = &'a Pod> {
    pods_of(objects, job.metadata.uid.as_deref())
}
