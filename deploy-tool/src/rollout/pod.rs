//! How far a pod is.

use jiff::Timestamp;
use k8s_openapi::api::core::v1::{ContainerStatus, Pod, Probe};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::{Clock, Evidence, Objects, Problem, State, container, events, scheduling, thresholds};

/// The database behind a pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Database {
    /// It is not ready yet, and why.
    NotReady(String),
    /// It will not become ready, and why.
    Broken(Box<Problem>),
    /// It is ready, and since when.
    ReadySince(Option<Timestamp>),
}

pub fn state(pod: &Pod, objects: &Objects, database: &Option<Database>, clock: Clock) -> State {
    let name = pod.metadata.name.as_deref().unwrap_or_default();
    if is_ready(pod) {
        return State::Done(format!("pod `{name}` is ready"));
    }
    if let Some(state) = scheduling::state(pod, objects, clock) {
        return state;
    }
    let mut waiting = None;
    for (init, status) in containers(pod) {
        match container::state(pod, status, init, objects, clock) {
            Some(State::Failed(problem)) => return State::Failed(problem),
            Some(State::Waiting(reason)) => waiting = waiting.or(Some(reason)),
            Some(State::Done(_)) | None => {}
        }
    }
    if let Some(reason) = waiting {
        return sandbox(pod, objects, reason, clock);
    }
    not_ready(pod, objects, database, clock)
}

/// Whether the pod's Ready condition is true.
pub fn is_ready(pod: &Pod) -> bool {
    condition(pod, "Ready").is_some_and(|condition| condition.status == "True")
}

/// Since when the pod is ready.
pub fn ready_since(pod: &Pod) -> Option<Timestamp> {
    condition(pod, "Ready")?
        .last_transition_time
        .as_ref()
        .map(|time| time.0)
}

pub fn condition<'a>(pod: &'a Pod, kind: &str) -> Option<&'a k8s_openapi::api::core::v1::PodCondition> {
    pod.status
        .as_ref()?
        .conditions
        .as_ref()?
        .iter()
        .find(|condition| condition.type_ == kind)
}

pub fn containers(pod: &Pod) -> impl Iterator<Item = (bool, &ContainerStatus)> {
    let status = pod.status.as_ref();
    let init = status
        .and_then(|status| status.init_container_statuses.as_ref())
        .into_iter()
        .flatten();
    let main = status
        .and_then(|status| status.container_statuses.as_ref())
        .into_iter()
        .flatten();
    init.map(|status| (true, status))
        .chain(main.map(|status| (false, status)))
}

/// Containers that are being created wait for the pod's sandbox: the kubelet's events say what holds it up.
fn sandbox(pod: &Pod, objects: &Objects, reason: String, clock: Clock) -> State {
    let uid = pod.metadata.uid.as_deref();
    let name = pod.metadata.name.as_deref().unwrap_or_default();
    let started = condition(pod, "PodReadyToStartContainers").is_some_and(|condition| condition.status == "True");
    if started {
        return State::Waiting(reason);
    }
    if let Some(event) = events::newest(objects, uid, "FailedCreatePodSandBox") {
        let message = events::message(event);
        // An old event may tell of what has been put right: the next attempt will show.
        let fresh = events::last_time(event).is_some_and(|last| last >= clock.since);
        let node = pod
            .spec
            .as_ref()
            .and_then(|spec| spec.node_name.as_deref())
            .unwrap_or("?");
        if let Some(handler) = unknown_handler(message).filter(|_| fresh) {
            return Problem::new(
                format!("pod `{name}`: containerd on node `{node}` has no runtime for the handler `{handler}`"),
                format!("the RuntimeClass's `handler` must be the name of a runtime in the node's containerd configuration, and its \
                 `scheduling.nodeSelector` must select only nodes that have it; `deploy-tool cluster up` makes such nodes. \
                 containerd says: {message}"),
            )
            .failed();
        }
        return State::Waiting(format!("pod `{name}` has no sandbox yet: {message}"));
    }
    match ["FailedMount", "FailedAttachVolume"]
        .iter()
        .find_map(|kind| events::newest(objects, uid, kind))
    {
        Some(event) => State::Waiting(format!("pod `{name}` waits for a volume: {}", events::message(event))),
        None => State::Waiting(reason),
    }
}

/// containerd: `no runtime for "crun" is configured`.
/// <https://github.com/containerd/containerd/blob/main/internal/cri/config/config.go>
fn unknown_handler(message: &str) -> Option<&str> {
    let (_, rest) = message.split_once("no runtime for \"")?;
    let (handler, rest) = rest.split_once('"')?;
    rest.starts_with(" is configured").then_some(handler)
}

/// All containers run: only the readiness probe is missing.
fn not_ready(pod: &Pod, objects: &Objects, database: &Option<Database>, clock: Clock) -> State {
    let name = pod.metadata.name.as_deref().unwrap_or_default();
    let namespace = pod.metadata.namespace.as_deref().unwrap_or_default();
    let late = containers(pod)
        .filter(|(init, status)| !init && !status.ready)
        .map(|(_, status)| status)
        .next();
    let Some(late) = late else {
        return State::Waiting(format!("pod `{name}` is starting"));
    };
    let probe = events::newest(objects, pod.metadata.uid.as_deref(), "Unhealthy").map(events::message);
    match database {
        Some(Database::NotReady(reason)) => {
            return State::Waiting(format!("pod `{name}` waits for its database: {reason}"));
        }
        Some(Database::Broken(problem)) => {
            let sentence = format!("the database of pod `{name}` is not ready: {}", problem.sentence);
            return State::Failed(Box::new(Problem {
                sentence,
                ..Problem::clone(problem)
            }));
        }
        Some(Database::ReadySince(_)) | None => {}
    }
    let said = probe.map_or(String::new(), |message| format!(": {message}"));
    let sentence = format!("pod `{name}` runs, but is not ready{said}");
    let running = late.state.as_ref().and_then(|state| state.running.as_ref());
    let started = running
        .and_then(|running| running.started_at.as_ref())
        .map(|time| time.0);
    let database_since = match database {
        Some(Database::ReadySince(since)) => *since,
        _ => None,
    };
    // A startup probe sets its own, longer limit; until it succeeds the kubelet does not even ask for readiness.
    let waited = (late.started == Some(true))
        .then(|| started.max(database_since))
        .flatten();
    if waited.is_none_or(|since| clock.now.duration_since(since.max(clock.since)) < thresholds::NOT_READY) {
        return State::Waiting(sentence);
    }
    let problem = Problem::new(
        format!("{sentence} (for more than {} s)", thresholds::NOT_READY.as_secs()),
        format!(
            "find out why its readiness probe fails: `kubectl --namespace {namespace} logs {name} --container {}`",
            late.name
        ),
    );
    match readiness_address(pod, &late.name) {
        Some(address) => {
            let (namespace, pod) = (namespace.to_owned(), name.to_owned());
            problem
                .with(Evidence::Readiness {
                    namespace,
                    pod,
                    address,
                })
                .failed()
        }
        None => {
            let (namespace, pod, container) = (namespace.to_owned(), name.to_owned(), late.name.clone());
            problem
                .with(Evidence::Logs {
                    namespace,
                    pod,
                    container,
                })
                .failed()
        }
    }
}

/// `pod:port/path` of a container's readiness probe, for the API server's proxy.
fn readiness_address(pod: &Pod, container: &str) -> Option<String> {
    let spec = pod
        .spec
        .as_ref()?
        .containers
        .iter()
        .find(|spec| spec.name == container)?;
    let probe: &Probe = spec.readiness_probe.as_ref()?;
    let get = probe.http_get.as_ref()?;
    let port = match &get.port {
        IntOrString::Int(number) => *number,
        IntOrString::String(name) => {
            let ports = spec.ports.as_ref()?;
            ports
                .iter()
                .find(|port| port.name.as_ref() == Some(name))?
                .container_port
        }
    };
    Some(format!("{port}{}", get.path.as_deref().unwrap_or("/")))
}
