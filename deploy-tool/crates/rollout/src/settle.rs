//! Whether ready pods stay up: a container without a readiness probe is ready as soon as it has started, and no
//! controller checks more.

use jiff::SignedDuration;
use k8s_openapi::api::core::v1::{ContainerStatus, Pod};

use crate::status::Phase;
use crate::{Clock, Objects, events, pod_view, probe_times};

/// The phase of a pod whose Ready condition is true.
pub fn evaluate(pod: &Pod, objects: &Objects, min_ready: SignedDuration, clock: Clock) -> Phase {
    let containers = pod_view::containers(pod).filter(|(init, _)| !init);
    let runs = containers.filter_map(|(_, status)| of_container(pod, status, objects, min_ready, clock));
    let has_probe = pod.spec.iter().any(|spec| {
        let mut containers = pod_view::all_containers(spec);
        containers.any(|container| container.readiness_probe.is_some())
    });
    let ready = pod_view::ready_since(pod).filter(|_| has_probe).map(|since| Proof {
        needed: probe_times::settle_time_ready(min_ready),
        done: clock.age(since),
    });
    let missing = runs.chain(ready).filter(|proof| proof.done < proof.needed);
    match missing.max_by_key(|proof| proof.needed - proof.done) {
        // Without a countdown: every change of the text is printed.
        Some(proof) => Phase::settling(format!(
            "{} is ready, and has to stay so for {} s",
            pod_view::title(pod),
            proof.needed.as_secs()
        )),
        None => Phase::DONE,
    }
}

/// How long something has to stay up, and how long it has.
struct Proof {
    needed: SignedDuration,
    done: SignedDuration,
}

/// How long a container has to run.
fn of_container(
    pod: &Pod,
    status: &ContainerStatus,
    objects: &Objects,
    min_ready: SignedDuration,
    clock: Clock,
) -> Option<Proof> {
    let since = pod_view::running_since(status)?;
    let container = pod_view::container(pod, &status.name)?;
    let earlier = pod_view::ended_before(status).and_then(pod_view::run_time);
    let liveness_failed = || {
        let failure = events::probe_failure(objects, pod, &status.name, "liveness")?;
        let last = events::last_time(failure).filter(|last| *last >= since)?;
        Some(last.duration_since(since))
    };
    let failed_after = container.liveness_probe.as_ref().and_then(|_| liveness_failed());
    Some(Proof {
        needed: probe_times::settle_time(container, min_ready, earlier, failed_after, pod_view::grace(pod)),
        done: clock.age(since),
    })
}
