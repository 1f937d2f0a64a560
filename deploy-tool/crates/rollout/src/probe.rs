//! Containers that run, and whose probes fail.

use jiff::Timestamp;
use k8s_openapi::api::core::v1::{ContainerStatus, Pod, Probe};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::pod::Database;
use super::{Clock, Evidence, Objects, Problem, State, events, pod, thresholds};
use diagnostics::Code;
use diagnostics::code::rollout::{LIVENESS_PROBE, READINESS_PROBE, STARTUP_PROBE};

/// All containers run: only the readiness probe is missing.
pub fn not_ready(pod: &Pod, objects: &Objects, database: &Option<Database>, clock: Clock) -> State {
    let title = pod::title(pod);
    let Some((_, late)) = pod::containers(pod).find(|(init, status)| !init && !status.ready) else {
        return State::Waiting(format!("{title} is starting"));
    };
    match database {
        Some(Database::NotReady(reason)) => {
            return State::Waiting(format!("{title} waits for its database: {reason}"));
        }
        Some(Database::Broken(problem)) => {
            let sentence = format!("the database of {title} is not ready: {}", problem.sentence);
            return State::Failed(Box::new(Problem {
                sentence,
                ..Problem::clone(problem)
            }));
        }
        Some(Database::ReadySince(_)) | None => {}
    }
    let said = said(pod, objects).map_or(String::new(), |message| format!(": {message}"));
    let sentence = format!("{title} runs, but is not ready{said}");
    let running = late.state.as_ref().and_then(|state| state.running.as_ref());
    let started = running
        .and_then(|running| running.started_at.as_ref())
        .map(|time| time.0);
    let database_since = match database {
        Some(Database::ReadySince(since)) => *since,
        _ => None,
    };
    // A startup probe sets its own, longer limit; until it succeeds the kubelet does not even ask for readiness.
    // Nothing says when that was: the first time that readiness was asked for in vain comes soon after.
    let spec = pod::container(pod, &late.name);
    let probed =
        spec.is_none_or(|container| container.startup_probe.is_none()) || first_refusal(pod, objects).is_some();
    let waited = (late.started == Some(true) && probed)
        .then(|| started.max(database_since).max(first_refusal(pod, objects)))
        .flatten();
    if waited.is_none_or(|since| clock.now.duration_since(since.max(clock.since)) < thresholds::NOT_READY) {
        return State::Waiting(sentence);
    }
    let next = format!(
        "the answer says what it misses; more is in its log: `kubectl --namespace {} logs {} --container {}`",
        pod.metadata.namespace.as_deref().unwrap_or_default(),
        pod.metadata.name.as_deref().unwrap_or_default(),
        late.name
    );
    let sentence = format!("{sentence} (for more than {} s)", thresholds::NOT_READY.as_secs());
    let problem = Problem::new(&READINESS_PROBE, sentence, next);
    let probe = spec.and_then(|container| container.readiness_probe.as_ref());
    match probe.and_then(|probe| address(pod, &late.name, probe)) {
        Some(answer) => problem.with(answer).failed(),
        None => problem.with(logs(pod, late)).failed(),
    }
}

/// When the kubelet asked for readiness in vain for the first time.
fn first_refusal(pod: &Pod, objects: &Objects) -> Option<Timestamp> {
    let refusals = events::about(objects, &pod.metadata).filter(|event| {
        event.reason.as_deref() == Some("Unhealthy") && events::message(event).starts_with("Readiness probe")
    });
    refusals.filter_map(events::first_time).min()
}

/// Why the kubelet has ended a container, when a probe made it do so often enough.
/// <https://kubernetes.io/docs/concepts/configuration/liveness-readiness-startup-probes/>
pub fn killed(pod: &Pod, status: &ContainerStatus, objects: &Objects) -> Option<Problem> {
    let start = format!("Container {} failed ", status.name);
    let kills = events::about(objects, &pod.metadata)
        .filter(|event| event.reason.as_deref() == Some("Killing") && events::message(event).starts_with(&start));
    let newest = kills.max_by_key(|event| events::last_time(event))?;
    let times = events::count(newest);
    if times < thresholds::PROBE_KILLS {
        return None;
    }
    let spec = pod::container(pod, &status.name)?;
    let kind = events::message(newest)[start.len()..].split_whitespace().next()?;
    let (code, probe): (&'static Code, _) = match kind {
        "startup" => (&STARTUP_PROBE, spec.startup_probe.as_ref()),
        _ => (&LIVENESS_PROBE, spec.liveness_probe.as_ref()),
    };
    let limit = probe.map_or(String::new(), |probe| {
        let (failures, period) = (probe.failure_threshold.unwrap_or(3), probe.period_seconds.unwrap_or(10));
        format!(", {failures} times every {period} s")
    });
    let sentence = format!(
        "container `{}` of {} was ended {times} times by the kubelet: its {kind} probe fails{limit}",
        status.name,
        pod::title(pod)
    );
    let next = if kind == "startup" {
        "if it needs longer to start, raise `failureThreshold` of its startupProbe; otherwise its log says what it waits for"
    } else {
        "correct the probe's path and port; what starts slowly needs a startupProbe before its livenessProbe"
    };
    let lines = said(pod, objects).map(str::to_owned).into_iter().collect();
    Some(
        Problem::new(code, sentence, next)
            .showing(lines)
            .with(logs(pod, status)),
    )
}

/// What the last failed probe was answered.
fn said<'a>(pod: &Pod, objects: &'a Objects) -> Option<&'a str> {
    events::newest(objects, &pod.metadata, "Unhealthy").map(events::message)
}

/// The last lines of a container's log.
pub fn logs(pod: &Pod, status: &ContainerStatus) -> Evidence {
    Evidence::Logs {
        namespace: pod.metadata.namespace.clone().unwrap_or_default(),
        pod: pod.metadata.name.clone().unwrap_or_default(),
        container: status.name.clone(),
    }
}

/// What a container's HTTP probe would be answered now, through the API server's proxy.
fn address(pod: &Pod, container: &str, probe: &Probe) -> Option<Evidence> {
    let get = probe.http_get.as_ref()?;
    let port = match &get.port {
        IntOrString::Int(number) => *number,
        IntOrString::String(name) => {
            let ports = pod::container(pod, container)?.ports.as_ref()?;
            ports
                .iter()
                .find(|port| port.name.as_ref() == Some(name))?
                .container_port
        }
    };
    Some(Evidence::Answer {
        namespace: pod.metadata.namespace.clone().unwrap_or_default(),
        pod: pod.metadata.name.clone().unwrap_or_default(),
        address: format!("{port}{}", get.path.as_deref().unwrap_or("/")),
    })
}
