//! How far a Deployment is.
//!
//! <https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#deployment-status>

use k8s_openapi::api::apps::v1::{Deployment, DeploymentCondition};
use k8s_openapi::api::core::v1::Pod;

use crate::ownership::{newest_replica_set, pods_of, pods_of_target};
use crate::presence::{self, Presence};
use crate::status::{Phase, ReadyCount, RolloutStatus, Waiting};
use crate::{Clock, Diagnosis, Objects, Target, failed_create, pod, pod_view, probe_times, stateful_set, thresholds};
use diagnostics::code::rollout::{PAUSED, PROGRESS_DEADLINE, QUOTA};

pub fn evaluate(target: &Target, objects: &Objects, clock: Clock) -> RolloutStatus {
    let deployment = match presence::find(target, objects.deployments.get(&target.key()), clock) {
        Presence::Present(deployment) => deployment,
        Presence::Absent(phase) => return target.status(None, phase),
    };
    let rollout = Rollout::observe(target, deployment, objects);
    let observed = deployment.status.as_ref().and_then(|status| status.observed_generation);
    let unobserved = presence::unobserved(target, &deployment.metadata, Some(observed.unwrap_or(0)));
    let phase = unobserved.unwrap_or_else(|| rollout.phase(objects, clock));
    target.status(Some(rollout.ready()), phase)
}

/// The counts of a Deployment.
struct Rollout<'a> {
    target: &'a Target,
    deployment: &'a Deployment,
    wanted: i32,
    updated: i32,
    available: i32,
    all: i32,
    /// The pods of the newest revision that stay.
    pods: Vec<&'a Pod>,
}

impl<'a> Rollout<'a> {
    fn observe(target: &'a Target, deployment: &'a Deployment, objects: &'a Objects) -> Self {
        let status = deployment.status.as_ref();
        let count = |field: fn(&k8s_openapi::api::apps::v1::DeploymentStatus) -> Option<i32>| {
            status.and_then(field).unwrap_or(0)
        };
        let set = newest_replica_set(deployment, objects);
        let pods = pods_of(objects, set.and_then(|set| set.metadata.uid.as_deref()));
        // Pods that are being deleted or have ended are replaced: they do not count any more.
        let stays = |pod: &&Pod| !pod_view::is_leaving(pod) && pod_view::is_unfinished(pod);
        Self {
            target,
            deployment,
            wanted: deployment.spec.as_ref().and_then(|spec| spec.replicas).unwrap_or(1),
            updated: count(|status| status.updated_replicas),
            available: count(|status| status.available_replicas),
            all: count(|status| status.replicas),
            pods: pods.filter(stays).collect(),
        }
    }

    /// The controller's counts may be old while the control plane starts: the pods themselves have to be ready too.
    fn ready(&self) -> ReadyCount {
        let ready = self.pods.iter().filter(|pod| pod_view::is_ready(pod)).count();
        let ready = i32::try_from(ready).unwrap_or(i32::MAX);
        ReadyCount::new(self.available.min(self.updated).min(ready), self.wanted)
    }

    fn is_complete(&self) -> bool {
        let counts = [self.updated, self.all, self.available];
        counts.iter().all(|count| *count == self.wanted) && self.ready().ready >= self.ready().wanted
    }

    fn phase(&self, objects: &Objects, clock: Clock) -> Phase {
        let is_paused = self.deployment.spec.as_ref().and_then(|spec| spec.paused) == Some(true);
        if !self.is_complete() && is_paused {
            return self.paused();
        }
        let pods = self.pods(objects, clock);
        let is_settled = matches!(pods, Phase::Done(_));
        if self.is_complete() {
            return match self.surplus(objects) {
                _ if !is_settled => pods,
                0 => Phase::DONE,
                surplus => Phase::in_progress(format!("{surplus} terminating")),
            };
        }
        let refused = self.refused(objects, clock);
        if !is_settled || refused.is_some() {
            return Phase::of_parts([pods].into_iter().chain(refused), false);
        }
        if self.all > self.updated && self.updated >= self.wanted {
            return Phase::in_progress(format!("{} of the old revision left", self.all - self.updated));
        }
        if i32::try_from(self.pods.len()).is_ok_and(|count| count < self.wanted) {
            return self.without_pods(objects, clock);
        }
        Phase::in_progress("its pods are not counted as available yet")
    }

    /// The phase of the pods of the newest revision together.
    fn pods(&self, objects: &Objects, clock: Clock) -> Phase {
        let min_ready = self.deployment.spec.as_ref().and_then(|spec| spec.min_ready_seconds);
        let min_ready = probe_times::seconds(min_ready.unwrap_or(0));
        let database = stateful_set::database(self.target, objects, clock);
        let evaluate = |pod: &&Pod| pod::evaluate(pod, objects, database.as_ref(), min_ready, clock);
        Phase::of_parts(self.pods.iter().map(evaluate), false)
    }

    /// Why the API server lets no pods in, if it does not.
    fn refused(&self, objects: &Objects, clock: Clock) -> Option<Phase> {
        let set = newest_replica_set(self.deployment, objects)?;
        let refused = failed_create::evaluate(objects, &set.metadata, &self.target.title(), clock)?;
        // Pods of the old revision free what the new ones wait for.
        let is_quota = |waiting: &Waiting| waiting.diagnosis.as_ref().is_some_and(|found| found.code == &QUOTA);
        Some(match refused {
            Phase::Waiting(waiting) if is_quota(&waiting) && self.has_old_pods(objects) => waiting.clear(false).into(),
            refused => refused,
        })
    }

    fn has_old_pods(&self, objects: &Objects) -> bool {
        self.all > self.updated
            || pods_of_target(self.target, objects)
                .iter()
                .any(|pod| pod_view::is_leaving(pod))
    }

    /// The phase when the pods were not created and no event gives a reason.
    fn without_pods(&self, objects: &Objects, clock: Clock) -> Phase {
        if !self.pods.is_empty() {
            return Phase::in_progress(format!("{} pods of the new revision so far", self.pods.len()));
        }
        let leaving = pods_of_target(self.target, objects)
            .into_iter()
            .filter(|pod| pod_view::is_leaving(pod));
        // With the strategy `Recreate` all of them end before the first new one is made.
        let reason = match leaving.count() {
            0 => "no pods yet".to_owned(),
            1 => "no pods yet: one of the old revision is still terminating".to_owned(),
            count => format!("no pods yet: {count} of the old revision are still terminating"),
        };
        let sentence = format!("{}: {reason}", self.target.title());
        let next = "look what its controllers say: `kubectl describe deployment`, `kubectl get events`";
        let waiting = Diagnosis::new(&PROGRESS_DEADLINE, sentence, next)
            .blocked()
            .with_reason(reason);
        waiting.attempted(Some(clock.now), None).into()
    }

    /// <https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#pausing-and-resuming-a-deployment>
    fn paused(&self) -> Phase {
        let Target { namespace, name, .. } = self.target;
        let title = self.target.title();
        if self.target.is_held {
            let sentence = format!("{title} is paused by its own manifest, and its new template is not rolled out");
            let next = "take `paused: true` out of the manifest, or leave the template as it is while it is paused";
            return Diagnosis::new(&PAUSED, sentence, next).failed();
        }
        let sentence = format!("{title} is paused, and its new template is not rolled out");
        let next = format!("let it go on: `kubectl --namespace {namespace} rollout resume deployment/{name}`");
        let reason = format!("paused; {next}");
        let waiting = Diagnosis::new(&PAUSED, sentence, next).blocked();
        waiting.with_reason(reason).clear(true).into()
    }

    /// The number of pods beyond the wanted ones, where the target waits for their deletion. The pods are counted, because
    /// the count in the status leaves out terminating pods, and may arrive here before the deletion of a pod does.
    fn surplus(&self, objects: &Objects) -> usize {
        if !self.target.surplus_gone {
            return 0;
        }
        let pods = pods_of_target(self.target, objects);
        let count = pods.into_iter().filter(|pod| !is_record(pod)).count();
        count.saturating_sub(usize::try_from(self.wanted).unwrap_or(0))
    }
}

/// Evicted pods stay as a record until they are collected. A pod that is being deleted ends too, shortly before it goes.
fn is_record(pod: &Pod) -> bool {
    !pod_view::is_unfinished(pod) && !pod_view::is_leaving(pod)
}

/// Whether `progressDeadlineSeconds` is exceeded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deadline {
    /// The controller has reported since the objects were applied that the deadline is exceeded.
    Over,
    /// Exceeded after this time without progress: the controller's condition is missing, or older than the wait.
    After(jiff::SignedDuration),
}

/// Whether `progressDeadlineSeconds` of a Deployment is exceeded, by its condition `Progressing`.
pub fn deadline(deployment: &Deployment, clock: Clock) -> Deadline {
    let seconds = deployment.spec.as_ref().and_then(|spec| spec.progress_deadline_seconds);
    let limit = seconds.map_or(thresholds::STALL, probe_times::seconds);
    let exceeded = progressing(deployment).filter(|condition| {
        condition.status == "False" && condition.reason.as_deref() == Some("ProgressDeadlineExceeded")
    });
    match exceeded {
        None => Deadline::After(limit + thresholds::DEADLINE_MARGIN),
        // The condition is about an earlier template, or about a change that the controller does not count as progress.
        Some(condition) => {
            let time = condition.last_update_time.as_ref().map(|time| time.0);
            if clock.is_fresh(time) {
                Deadline::Over
            } else {
                Deadline::After(limit)
            }
        }
    }
}

fn progressing(deployment: &Deployment) -> Option<&DeploymentCondition> {
    let conditions = deployment.status.as_ref()?.conditions.as_ref()?;
    conditions.iter().find(|condition| condition.type_ == "Progressing")
}

/// A Deployment that has stalled, for a reason without a diagnosis of its own.
pub fn out_of_time(status: &RolloutStatus) -> Diagnosis {
    let reason = match &status.phase {
        Phase::Waiting(waiting) => format!(": {}", waiting.reason),
        Phase::Done(_) | Phase::Failed(_) => String::new(),
    };
    Diagnosis::new(
        &PROGRESS_DEADLINE,
        format!(
            "{} has made no progress within its `progressDeadlineSeconds`{reason}",
            status.title
        ),
        "look at the pods: `deploy-tool status`",
    )
}
