//! How long a pod may need by its own fields: arithmetic of probes, and how long it has to stay up to be believed.
//!
//! The defaults are the API's. `initialDelaySeconds` counts from the container's start; until a startup probe has
//! succeeded, the other probes are not asked.
//! <https://kubernetes.io/docs/concepts/configuration/liveness-readiness-startup-probes/>

use jiff::SignedDuration;
use k8s_openapi::api::core::v1::{Container, PodSpec, Probe};

use crate::pod_view;
use crate::thresholds;

const NONE: SignedDuration = SignedDuration::ZERO;

/// The fields of a probe, with their defaults.
#[derive(Clone, Copy, Debug)]
struct Times {
    delay: SignedDuration,
    period: SignedDuration,
    timeout: SignedDuration,
    failures: i32,
    successes: i32,
}

impl Times {
    fn from_probe(probe: &Probe) -> Self {
        let seconds = |field: Option<i32>, default: i32| seconds(field.unwrap_or(default));
        Self {
            delay: seconds(probe.initial_delay_seconds, 0),
            period: seconds(probe.period_seconds, 10),
            timeout: seconds(probe.timeout_seconds, 1),
            failures: probe.failure_threshold.unwrap_or(3),
            successes: probe.success_threshold.unwrap_or(1),
        }
    }
}

/// So many seconds as a field of the API has.
pub fn seconds(count: i32) -> SignedDuration {
    SignedDuration::from_secs(i64::from(count.max(0)))
}

fn times(count: i32, period: SignedDuration) -> SignedDuration {
    period.saturating_mul(count.max(0))
}

/// How long its startup probe gives a container; nothing when it has none.
fn startup_budget(container: &Container) -> SignedDuration {
    container
        .startup_probe
        .as_ref()
        .map(Times::from_probe)
        .map_or(NONE, |startup| {
            startup.delay + times(startup.failures, startup.period) + startup.timeout
        })
}

/// The earliest time at which a container can become ready: before it, a failed readiness probe is no sign of a failure.
pub fn earliest_ready(container: &Container) -> SignedDuration {
    container
        .readiness_probe
        .as_ref()
        .map(Times::from_probe)
        .map_or(NONE, |readiness| {
            readiness.delay + times(readiness.successes, readiness.period) + readiness.timeout
        })
}

/// How long the probes of a container allow it to take. The kubelet itself has no such limit: it repeats a readiness probe
/// for ever.
pub fn ready_budget(container: &Container) -> SignedDuration {
    let startup = startup_budget(container);
    match container.readiness_probe.as_ref().map(Times::from_probe) {
        Some(readiness) => {
            let attempts = times(readiness.successes + readiness.failures, readiness.period);
            startup.max(readiness.delay) + attempts + readiness.timeout
        }
        None => startup,
    }
}

/// How long a whole pod may take by its own fields. Native sidecars that have a startup probe are started one after the
/// other, then the containers side by side.
pub fn pod_budget(spec: &PodSpec, min_ready: SignedDuration) -> SignedDuration {
    let sidecars = spec.init_containers.iter().flatten();
    let before: SignedDuration = sidecars
        .filter(|container| pod_view::is_restartable(container))
        .map(startup_budget)
        .fold(NONE, |sum, budget| sum + budget);
    let beside = spec.containers.iter().map(ready_budget).max().unwrap_or(NONE);
    before + beside + min_ready
}

/// When the liveness probe ends a container at the earliest, counted from its start.
fn earliest_kill(container: &Container) -> SignedDuration {
    let Some(liveness) = container.liveness_probe.as_ref().map(Times::from_probe) else {
        return NONE;
    };
    startup_budget(container).max(liveness.delay) + times(liveness.failures, liveness.period) + liveness.timeout
}

/// How long it takes until a container has ended that its liveness probe ends, counted from its start. `failed_after`:
/// how long it ran at the last answer that was a failure. `grace`: `terminationGracePeriodSeconds` of its pod.
fn liveness_end(container: &Container, failed_after: SignedDuration, grace: SignedDuration) -> SignedDuration {
    let Some(probe) = &container.liveness_probe else {
        return NONE;
    };
    let liveness = Times::from_probe(probe);
    let own = probe.termination_grace_period_seconds;
    let grace = own.map_or(grace, |own| SignedDuration::from_secs(own.max(0)));
    let next_answer = failed_after + liveness.period + liveness.timeout;
    earliest_kill(container).max(next_answer) + grace + thresholds::SETTLE_MARGIN
}

/// How long a container has to run to be believed, counted from its start. `earlier`: how long it ran before it ended
/// the last time. `liveness_failed_after`: how long it had run when its liveness probe failed last in this run.
/// `grace`: `terminationGracePeriodSeconds` of its pod.
pub fn settle_time(
    container: &Container,
    min_ready: SignedDuration,
    earlier: Option<SignedDuration>,
    liveness_failed_after: Option<SignedDuration>,
    grace: SignedDuration,
) -> SignedDuration {
    let restarted = earlier
        .filter(|run| *run < thresholds::LONGEST_SETTLE)
        .map_or(NONE, |run| run * 3 / 2 + thresholds::SETTLE_MARGIN);
    let kill = liveness_failed_after.map_or(NONE, |run| liveness_end(container, run, grace));
    let alone = match (&container.readiness_probe, &container.liveness_probe) {
        // Its own probe answers for it, since the pod is ready.
        (Some(_), _) => NONE,
        (None, None) => thresholds::SETTLE,
        (None, Some(liveness)) => {
            let liveness = Times::from_probe(liveness);
            thresholds::SETTLE.max(liveness.delay + liveness.period + liveness.timeout)
        }
    };
    let proof = alone.max(restarted).max(kill).min(thresholds::LONGEST_SETTLE);
    if container.readiness_probe.is_some() {
        proof
    } else {
        proof.max(min_ready)
    }
}

/// How long a pod has to be ready to be believed.
pub fn settle_time_ready(min_ready: SignedDuration) -> SignedDuration {
    thresholds::SETTLE_READY.max(min_ready)
}
