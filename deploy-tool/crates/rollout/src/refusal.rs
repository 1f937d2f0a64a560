//! Pods that the API server does not even let in: admission, quota, Pod Security.

use jiff::Timestamp;
use k8s_openapi::api::core::v1::Event;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::{Clock, Objects, Problem, State, Target, TargetKind, deployment, events, is_owned_by, thresholds};
use diagnostics::code::rollout::{ADMISSION, POD_SECURITY, QUOTA, RUNTIME_CLASS_MISSING};

/// The reason that controllers write into the event.
const REASON: &str = "FailedCreate";

/// What makes pods.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Controller {
    /// ReplicaSet, StatefulSet, DaemonSet or Job.
    pub kind: &'static str,
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

/// Why a controller's pods are refused by the API server, if they are.
pub fn state(objects: &Objects, controller: &ObjectMeta, title: &str, clock: Clock) -> Option<State> {
    let event = standing(objects, controller)?;
    let problem = problem(title, events::message(event), controller);
    // An old event may tell of what has been put right: the next attempt will show.
    let fresh = events::last_time(event)? >= clock.since;
    let decided = fresh && clock.now.duration_since(clock.since) >= thresholds::REFUSED_PODS;
    Some(if decided {
        problem.failed()
    } else {
        State::Waiting(problem.sentence)
    })
}

fn problem(title: &str, message: &str, controller: &ObjectMeta) -> Problem {
    // What comes before names the pod, each attempt another one.
    let reason = message
        .split_once(" is forbidden: ")
        .map_or(message, |(_, reason)| reason);
    let namespace = controller.namespace.as_deref().unwrap_or_default();
    let sentence = format!("{title}: the API server refuses its pods: {reason}");
    if reason.contains("RuntimeClass") {
        let next = "apply the RuntimeClass first (`kubectl apply --filename manifests/runtimeclass.yaml` for crun-wasm), or \
             correct `runtimeClassName`: `kubectl get runtimeclasses` lists what there is";
        return Problem::new(&RUNTIME_CLASS_MISSING, sentence, next);
    }
    if reason.contains("exceeded quota") || reason.contains("failed quota") {
        let next = format!(
            "ask for less, or raise the namespace's ResourceQuota: `kubectl --namespace {namespace} describe resourcequota`"
        );
        return Problem::new(&QUOTA, sentence, next);
    }
    if let Some((level, missing)) = pod_security(reason) {
        let next = format!(
            "set in the pod's and the containers' securityContext what is listed; the level comes from the namespace: \
             `kubectl get namespace {namespace} --show-labels`"
        );
        let sentence = format!("{title}: the API server refuses its pods: they violate Pod Security level {level}");
        return Problem::new(&POD_SECURITY, sentence, next).showing(missing);
    }
    Problem::new(&ADMISSION, sentence, "correct the pod template as the sentence says")
}

/// `violates PodSecurity "restricted:latest": a != false (container "x" must …), b (…)`: the level, and each violation.
/// <https://github.com/kubernetes/pod-security-admission/blob/master/admission/admission.go>
fn pod_security(reason: &str) -> Option<(&str, Vec<String>)> {
    let (level, violations) = reason.split_once("violates PodSecurity \"")?.1.split_once("\": ")?;
    let violations = violations.split("), ").map(|one| match one.ends_with(')') {
        true => one.to_owned(),
        false => format!("{one})"),
    });
    Some((level, violations.collect()))
}

/// Controllers whose pods were refused before somebody began to wait, and that have not tried again since. They wait
/// longer each time, up to a quarter of an hour: after a correction elsewhere they need a nudge.
/// <https://github.com/kubernetes/kubernetes/blob/master/pkg/controller/replicaset/replica_set.go>
pub fn refused_before(target: &Target, objects: &Objects, since: Timestamp) -> Option<Controller> {
    let key = target.key();
    let (kind, metadata) = match target.kind {
        TargetKind::Deployment => {
            let deployment = objects.deployments.get(&key)?;
            let set = deployment::newest_replica_set(deployment, objects)?;
            ("ReplicaSet", &set.metadata)
        }
        TargetKind::StatefulSet => ("StatefulSet", &objects.stateful_sets.get(&key)?.metadata),
        TargetKind::DaemonSet => ("DaemonSet", &objects.daemon_sets.get(&key)?.metadata),
        TargetKind::Job => ("Job", &objects.jobs.get(&key)?.metadata),
        TargetKind::Pod | TargetKind::Other(_) => return None,
    };
    let last = events::last_time(standing(objects, metadata)?)?;
    (last < since).then(|| Controller {
        kind,
        namespace: target.namespace.clone(),
        name: metadata.name.clone().unwrap_or_default(),
    })
}

/// The newest refusal of a controller's pods, unless a pod has been let in since.
fn standing<'a>(objects: &'a Objects, controller: &ObjectMeta) -> Option<&'a Event> {
    let event = events::newest(objects, controller, REASON)?;
    let last = events::last_time(event)?;
    let uid = controller.uid.as_deref();
    let pods = objects.pods.values().filter(|pod| is_owned_by(&pod.metadata, uid));
    let mut created = pods.filter_map(|pod| pod.metadata.creation_timestamp.as_ref());
    (!created.any(|time| time.0 >= last)).then_some(event)
}
