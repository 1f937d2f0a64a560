//! Containers that run, and whose probes fail.

use jiff::Timestamp;
use k8s_openapi::api::core::v1::{ContainerStatus, Pod, Probe};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use crate::status::{Phase, WaitClass, Waiting};
use crate::{Clock, ContainerLog, Diagnosis, Evidence, Objects, events, pod_view, probe_times, thresholds};
use diagnostics::Code;
use diagnostics::code::rollout::{LIVENESS_PROBE, READINESS_GATE, READINESS_PROBE, STARTUP_PROBE};

/// The database behind a pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Database {
    /// It is not there yet, or not at all.
    NotReady(Phase),
    /// It is ready, and since when.
    ReadySince(Option<Timestamp>),
}

/// All containers run: only the readiness probe is missing.
pub fn not_ready(pod: &Pod, objects: &Objects, database: Option<&Database>, clock: Clock) -> Phase {
    let title = pod_view::title(pod);
    let unready = pod_view::containers(pod).find(|(init, status)| !init && !status.ready);
    let Some((_, unready)) = unready else {
        return evaluate_readiness_gates(pod, &title);
    };
    let database_since = match database {
        Some(Database::NotReady(phase)) => return without_database(&title, phase.clone()),
        Some(Database::ReadySince(since)) => *since,
        None => None,
    };
    let starting = || Phase::in_progress(format!("{title} is starting"));
    let container = pod_view::container(pod, &unready.name);
    let (Some(container), Some(since)) = (container, pod_view::running_since(unready)) else {
        return starting();
    };
    let began = Some(since).max(database_since).unwrap_or(since);
    let waited = clock.age(began);
    if waited < probe_times::earliest_ready(container) {
        return starting();
    }
    // A startup probe has a limit of its own; until it succeeds the kubelet does not ask for readiness.
    let starts = container.startup_probe.is_some() && unready.started != Some(true);
    let kind = if starts { "startup" } else { "readiness" };
    let failure = events::probe_failure(objects, pod, &unready.name, kind);
    let suffix = failure.map_or(String::new(), |event| format!(": {}", events::message(event)));
    let restarts = match unready.restart_count {
        0 => String::new(),
        count => format!(" after {count} restarts"),
    };
    let sentence = format!("{title} runs{restarts}, but is not ready{suffix}");
    let budget = probe_times::ready_budget(container);
    let Some(probe) = container
        .readiness_probe
        .as_ref()
        .filter(|_| !starts && waited >= budget)
    else {
        return Phase::in_progress(sentence);
    };
    let next = format!(
        "the answer says what it misses; more is in its log: `kubectl --namespace {} logs {} --container {}`",
        pod_view::namespace(pod),
        pod_view::name(pod),
        unready.name
    );
    // Without a countdown: every change of the text is printed.
    let sentence = format!("{sentence} (its probes give it {} s)", budget.as_secs());
    // What a liveness probe ends has no time to become ready: that is the cause.
    let diagnosis = diagnose_last_kill(pod, unready, objects).unwrap_or_else(|| {
        let evidence = address(pod, &unready.name, probe).unwrap_or_else(|| logs(pod, unready));
        Diagnosis::new(&READINESS_PROBE, sentence, next).with(evidence)
    });
    // The kubelet asks all the time.
    diagnosis
        .blocked()
        .clear(clock.waited(Some(began)) >= budget)
        .attempted(Some(clock.now), None)
        .into()
}

/// The phase of a pod that waits for its database: that of the database.
fn without_database(title: &str, database: Phase) -> Phase {
    let sentence = |cause: &str| format!("the database of {title} is not ready: {cause}");
    match database {
        Phase::Done(_) => Phase::in_progress(format!("{title} waits for its database")),
        Phase::Waiting(waiting) if waiting.class == WaitClass::Blocked => {
            let diagnosis = waiting.diagnosis.clone().map(|diagnosis| Diagnosis {
                sentence: sentence(&diagnosis.sentence),
                ..diagnosis
            });
            let reason = sentence(&waiting.reason);
            Waiting {
                diagnosis,
                reason,
                ..*waiting
            }
            .into()
        }
        Phase::Waiting(waiting) => Phase::in_progress(format!("{title} waits for its database: {}", waiting.reason)),
        Phase::Failed(diagnosis) => Phase::Failed(Box::new(Diagnosis {
            sentence: sentence(&diagnosis.sentence),
            ..*diagnosis
        })),
    }
}

/// The phase of a pod whose containers are all ready, while a readiness gate is not.
/// <https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-readiness-gate>
fn evaluate_readiness_gates(pod: &Pod, title: &str) -> Phase {
    let gates = pod.spec.iter().flat_map(|spec| spec.readiness_gates.iter().flatten());
    let is_closed = |kind: &&str| pod_view::condition(pod, kind).is_none_or(|condition| condition.status != "True");
    let closed: Vec<&str> = gates
        .map(|gate| gate.condition_type.as_str())
        .filter(is_closed)
        .collect();
    if closed.is_empty() || pod_view::containers(pod).next().is_none() {
        return Phase::in_progress(format!("{title} is starting"));
    }
    let sentence = format!("{title} runs, and its readiness gate {} is closed", closed.join(", "));
    let next = "the gate's condition is set by its controller, such as that of a load balancer: look whether it runs";
    Diagnosis::new(&READINESS_GATE, sentence, next).blocked().into()
}

/// The kubelet's event about a container that it kills because of a failed probe.
struct Kill<'a> {
    /// The probe: `liveness` or `startup`.
    kind: &'a str,
    times: i32,
    last: Option<Timestamp>,
}

/// Why the kubelet has ended a container, when a probe made it do so; and how often.
/// <https://kubernetes.io/docs/concepts/configuration/liveness-readiness-startup-probes/>
pub fn diagnose_repeated_kills(pod: &Pod, status: &ContainerStatus, objects: &Objects) -> Option<(Diagnosis, i32)> {
    let kill = newest_kill(pod, status, objects)?;
    if kill.times < thresholds::PROBE_KILLS {
        return None;
    }
    Some((diagnose_kill(pod, status, objects, &kill)?, kill.times))
}

/// The same of a container that runs again, if a probe ended its last run.
fn diagnose_last_kill(pod: &Pod, status: &ContainerStatus, objects: &Objects) -> Option<Diagnosis> {
    let began = pod_view::ended_before(status)?.started_at.as_ref()?.0;
    let kill = newest_kill(pod, status, objects)?;
    diagnose_kill(pod, status, objects, &kill).filter(|_| kill.last.is_some_and(|last| last >= began))
}

fn newest_kill<'a>(pod: &Pod, status: &ContainerStatus, objects: &'a Objects) -> Option<Kill<'a>> {
    let start = format!("Container {} failed ", status.name);
    let kills = events::list_for(objects, &pod.metadata).filter(|event| event.reason.as_deref() == Some("Killing"));
    let (newest, kind) = kills
        .filter_map(|event| Some((event, events::message(event).strip_prefix(&start)?)))
        .max_by_key(|(event, _)| events::last_time(event))?;
    Some(Kill {
        kind: kind.split_whitespace().next()?,
        times: events::count(newest),
        last: events::last_time(newest),
    })
}

fn diagnose_kill(pod: &Pod, status: &ContainerStatus, objects: &Objects, kill: &Kill<'_>) -> Option<Diagnosis> {
    let Kill { kind, times, .. } = *kill;
    let spec = pod_view::container(pod, &status.name)?;
    let (code, probe): (&'static Code, _) = match kind {
        "startup" => (&STARTUP_PROBE, spec.startup_probe.as_ref()),
        _ => (&LIVENESS_PROBE, spec.liveness_probe.as_ref()),
    };
    let limit = probe.map_or(String::new(), |probe| {
        let (failures, period) = (probe.failure_threshold.unwrap_or(3), probe.period_seconds.unwrap_or(10));
        format!(", {failures} times every {period} s")
    });
    let often = if times == 1 { "once" } else { &format!("{times} times") };
    let sentence = format!(
        "container `{}` of {} was ended {often} by the kubelet: its {kind} probe fails{limit}",
        status.name,
        pod_view::title(pod)
    );
    let next = if kind == "startup" {
        "if it needs longer to start, raise `failureThreshold` of its startupProbe; otherwise its log says what it waits for"
    } else {
        "correct the probe's path and port; what starts slowly needs a startupProbe before its livenessProbe"
    };
    let failure = events::probe_failure(objects, pod, &status.name, kind);
    let lines = failure
        .map(|event| events::message(event).to_owned())
        .into_iter()
        .collect();
    let diagnosis = Diagnosis::new(code, sentence, next).detail(lines);
    Some(diagnosis.with(logs(pod, status)))
}

/// The last lines of a container's log.
pub fn logs(pod: &Pod, status: &ContainerStatus) -> Evidence {
    Evidence::Logs(container_log(pod, status))
}

/// Where a container's log is.
pub fn container_log(pod: &Pod, status: &ContainerStatus) -> ContainerLog {
    ContainerLog {
        namespace: pod_view::namespace(pod).to_owned(),
        pod: pod_view::name(pod).to_owned(),
        container: status.name.clone(),
    }
}

/// What a container's HTTP probe would be answered now, through the API server's proxy.
fn address(pod: &Pod, container: &str, probe: &Probe) -> Option<Evidence> {
    // A probe of another host than the pod goes past it.
    let get = probe.http_get.as_ref().filter(|get| get.host.is_none())?;
    let port = match &get.port {
        IntOrString::Int(number) => *number,
        IntOrString::String(name) => {
            let ports = pod_view::container(pod, container)?.ports.as_ref()?;
            ports
                .iter()
                .find(|port| port.name.as_ref() == Some(name))?
                .container_port
        }
    };
    Some(Evidence::Answer {
        namespace: pod_view::namespace(pod).to_owned(),
        pod: pod_view::name(pod).to_owned(),
        is_https: get.scheme.as_deref() == Some("HTTPS"),
        // The kubelet adds the slash that a path lacks.
        address: format!(
            "{port}/{}",
            get.path.as_deref().unwrap_or_default().trim_start_matches('/')
        ),
    })
}
