//! How far a Job is.

use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::Pod;

use super::{Clock, Evidence, Objects, Problem, State, Target, finalizer, is_owned_by, pod, refusal};
use diagnostics::code::rollout::{CRASH_LOOP, JOB_FAILED, OUT_OF_MEMORY};

pub fn state(target: &Target, objects: &Objects, clock: Clock) -> State {
    let title = target.title();
    let Some(job) = objects.jobs.get(&target.key()) else {
        return State::Waiting(format!("{title} is not there yet"));
    };
    let status = job.status.clone().unwrap_or_default();
    let condition = |kind: &str| {
        let mut all = status.conditions.iter().flatten();
        all.find(|condition| condition.type_ == kind && condition.status == "True")
    };
    if condition("Complete").is_some() {
        return State::Done(format!("{title} is complete"));
    }
    // The controller has decided; the pods that are left are ended first.
    // https://kubernetes.io/docs/concepts/workloads/controllers/job/#terminal-job-conditions
    if let Some(failed) = condition("Failed").or(condition("FailureTarget")) {
        let why = failed.reason.as_deref().unwrap_or_default();
        return failure(job, objects, why, failed.message.as_deref().unwrap_or_default()).failed();
    }
    if let Some(state) = finalizer::state(&title, &job.metadata, clock) {
        return state;
    }
    let spec = job.spec.as_ref();
    if spec.and_then(|spec| spec.suspend) == Some(true) {
        return State::Done(format!("{title} is suspended"));
    }
    if let Some(state) = refusal::state(objects, &job.metadata, &title, clock) {
        return state;
    }
    let wanted = spec.and_then(|spec| spec.completions).unwrap_or(1);
    let sentence = format!("{title}: {} of {wanted} complete", status.succeeded.unwrap_or(0));
    let mut reason = None;
    for pod in pods(job, objects).filter(|pod| pod::is_unfinished(pod) && !pod::is_ready(pod)) {
        match pod::state(pod, objects, &None, clock) {
            // How often a container may end is for the Job's `backoffLimit` to say.
            State::Failed(problem) if ![&CRASH_LOOP, &OUT_OF_MEMORY].contains(&problem.code) => {
                return State::Failed(problem);
            }
            State::Failed(problem) => reason = Some(problem.sentence),
            State::Waiting(sentence) => reason = reason.or(Some(sentence)),
            State::Done(_) => {}
        }
    }
    State::Waiting(reason.map_or(sentence.clone(), |reason| format!("{sentence}; {reason}")))
}

fn failure(job: &Job, objects: &Objects, why: &str, message: &str) -> Problem {
    let name = job.metadata.name.as_deref().unwrap_or_default();
    let namespace = job.metadata.namespace.as_deref().unwrap_or_default();
    let next = format!(
        "correct what the last lines name; a Job cannot be changed, so recreate it: \
         `kubectl --namespace {namespace} delete job {name}`, then the same command again"
    );
    let problem = Problem::new(&JOB_FAILED, format!("Job `{name}` has failed: {message} ({why})"), next);
    let failed = |pod: &&Pod| pod.status.as_ref().and_then(|status| status.phase.as_deref()) == Some("Failed");
    let last = pods(job, objects)
        .filter(failed)
        .max_by_key(|pod| pod.metadata.creation_timestamp.as_ref().map(|time| time.0));
    let Some(pod) = last else {
        return problem;
    };
    let ended = pod::containers(pod).find_map(|(_, status)| {
        let ended = status.state.as_ref()?.terminated.as_ref()?;
        (ended.exit_code != 0).then_some((status, ended))
    });
    let Some((status, ended)) = ended else {
        return problem;
    };
    let pod_name = pod.metadata.name.clone().unwrap_or_default();
    let line = format!(
        "container `{}` of pod `{pod_name}` ended with exit code {}",
        status.name, ended.exit_code
    );
    problem.showing(vec![line]).with(Evidence::Logs {
        namespace: namespace.to_owned(),
        pod: pod_name,
        container: status.name.clone(),
    })
}

fn pods<'a>(job: &'a Job, objects: &'a Objects) -> impl Iterator<Item = &'a Pod> {
    objects
        .pods
        .values()
        .filter(|pod| is_owned_by(&pod.metadata, job.metadata.uid.as_deref()))
}
