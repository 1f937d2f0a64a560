//! Pods that the API server does not even let in: admission, quota, Pod Security.

use jiff::Timestamp;
use k8s_openapi::api::apps::v1::ReplicaSet;
use k8s_openapi::api::core::v1::Event;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use crate::pod_view::is_owned_by;
use crate::status::Phase;
use crate::text::contains_any;
use crate::{Clock, Diagnosis, Objects, Target, TargetKind, events, ownership, pod_view, thresholds};
use diagnostics::Code;
use diagnostics::code::rollout::{ADMISSION, POD_SECURITY, QUOTA, RUNTIME_CLASS_MISSING};

/// The reason that controllers write into the event.
const REASON: &str = "FailedCreate";

/// Refusals of a pod that may be temporary: an object that is created later, or a webhook that is unreachable. Others
/// last until a policy is changed.
const TRANSIENT_REFUSALS: [&str; 5] = [
    "not found",
    "no priorityclass",
    "failed calling webhook",
    "service account",
    "serviceaccount",
];

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
pub fn evaluate(objects: &Objects, controller: &ObjectMeta, title: &str, clock: Clock) -> Option<Phase> {
    let event = current_refusal(objects, controller)?;
    let last = events::last_time(event)?;
    let reason = reason(events::message(event));
    let diagnosis = diagnose(title, reason, controller);
    let sentence = format!("the API server refuses its pods: {reason}");
    // The problem of an event before the wait may be fixed: the next attempt will show.
    if !clock.is_fresh(Some(last)) {
        return Some(Phase::in_progress(sentence));
    }
    let (count, first) = same_refusals(objects, controller, reason);
    let is_for_good = count >= thresholds::REFUSALS
        && last.duration_since(first.unwrap_or(last).max(clock.since)) >= thresholds::REFUSED_FOR_GOOD
        && is_policy(diagnosis.code, reason);
    if is_for_good {
        return Some(diagnosis.failed());
    }
    let is_late = clock.waited(None) >= thresholds::REFUSED_PODS;
    let waiting = diagnosis.blocked().with_reason(sentence).clear(is_late);
    Some(waiting.attempted(Some(last), None).into())
}

/// How often a controller was given the same answer, and since when. Each attempt is an event of its own, since it
/// names another pod.
fn same_refusals(objects: &Objects, controller: &ObjectMeta, wanted: &str) -> (i32, Option<Timestamp>) {
    let same = || {
        events::list_for(objects, controller)
            .filter(|event| event.reason.as_deref() == Some(REASON) && reason(events::message(event)) == wanted)
    };
    (
        same().map(events::count).sum(),
        same().filter_map(events::first_time).min(),
    )
}

/// The message after the prefix with the name of the pod, which differs in each attempt.
fn reason(message: &str) -> &str {
    message
        .split_once(" is forbidden: ")
        .map_or(message, |(_, reason)| reason)
}

/// Whether the pods are refused by what only a person changes.
fn is_policy(code: &Code, reason: &str) -> bool {
    code == &POD_SECURITY || code == &ADMISSION && !contains_any(reason, &TRANSIENT_REFUSALS)
}

fn diagnose(title: &str, reason: &str, controller: &ObjectMeta) -> Diagnosis {
    let namespace = controller.namespace.as_deref().unwrap_or_default();
    let sentence = format!("{title}: the API server refuses its pods: {reason}");
    if reason.contains("RuntimeClass") {
        let next = "apply the RuntimeClass first (`apiVersion: node.k8s.io/v1`, `kind: RuntimeClass`, `metadata.name` as the pod \
             names it, `handler: crun` for nodes of `deploy-tool`), or correct `runtimeClassName`: `kubectl get runtimeclasses` \
             lists what there is";
        return Diagnosis::new(&RUNTIME_CLASS_MISSING, sentence, next);
    }
    if reason.contains("exceeded quota") || reason.contains("failed quota") {
        let next = format!(
            "ask for less, or raise the namespace's ResourceQuota: `kubectl --namespace {namespace} describe resourcequota`"
        );
        return Diagnosis::new(&QUOTA, sentence, next);
    }
    if let Some((level, missing)) = pod_security(reason) {
        let next = format!(
            "set in the pod's and the containers' securityContext what is listed; the level comes from the namespace: \
             `kubectl get namespace {namespace} --show-labels`"
        );
        let sentence = format!("{title}: the API server refuses its pods: they violate Pod Security level {level}");
        return Diagnosis::new(&POD_SECURITY, sentence, next).detail(missing);
    }
    Diagnosis::new(&ADMISSION, sentence, "correct the pod template as the sentence says")
}

/// `violates PodSecurity "restricted:latest": a != false (container "x" must …), b (…)`: the level, and each violation.
/// <https://github.com/kubernetes/pod-security-admission/blob/master/admission/admission.go>
fn pod_security(reason: &str) -> Option<(&str, Vec<String>)> {
    let (level, violations) = reason.split_once("violates PodSecurity \"")?.1.split_once("\": ")?;
    let violations = violations.split("), ").map(|violation| {
        if violation.ends_with(')') {
            violation.to_owned()
        } else {
            format!("{violation})")
        }
    });
    Some((level, violations.collect()))
}

/// Controllers whose pods were refused before `since`, and that have not tried again. They wait longer each time, up to
/// a quarter of an hour: after a correction elsewhere they have to be triggered.
/// <https://github.com/kubernetes/kubernetes/blob/master/pkg/controller/replicaset/replica_set.go>
pub fn refused_before(target: &Target, objects: &Objects, since: Timestamp) -> Option<Controller> {
    let key = target.key();
    let (kind, metadata) = match target.kind {
        TargetKind::Deployment => {
            let deployment = objects.deployments.get(&key)?;
            let set = ownership::newest_replica_set(deployment, objects)?;
            ("ReplicaSet", &set.metadata)
        }
        TargetKind::StatefulSet => ("StatefulSet", &objects.stateful_sets.get(&key)?.metadata),
        TargetKind::DaemonSet => ("DaemonSet", &objects.daemon_sets.get(&key)?.metadata),
        TargetKind::Job => ("Job", &objects.jobs.get(&key)?.metadata),
        TargetKind::Pod | TargetKind::Generic(_) => return None,
    };
    let last = events::last_time(current_refusal(objects, metadata)?)?;
    (last < since).then(|| Controller {
        kind,
        namespace: target.namespace.clone(),
        name: metadata.name.clone().unwrap_or_default(),
    })
}

/// The newest refusal of a controller's pods, unless a pod was admitted since. Event times are in seconds, and a pod may
/// be admitted in the same second in which another one is refused: the status of a ReplicaSet tells whether pods are
/// missing.
fn current_refusal<'a>(objects: &'a Objects, controller: &ObjectMeta) -> Option<&'a Event> {
    let event = events::newest(objects, controller, REASON)?;
    let last = events::last_time(event)?;
    let uid = controller.uid.as_deref();
    if objects
        .replica_sets
        .values()
        .any(|set| set.metadata.uid.as_deref() == uid && has_replica_failure(set))
    {
        return Some(event);
    }
    let pods = objects.pods.values().filter(|pod| is_owned_by(&pod.metadata, uid));
    let mut created = pods.filter_map(pod_view::created);
    (!created.any(|time| time >= last)).then_some(event)
}

/// <https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/replica-set-v1/#ReplicaSetStatus>
fn has_replica_failure(set: &ReplicaSet) -> bool {
    let conditions = set.status.iter().flat_map(|status| status.conditions.iter().flatten());
    let mut failure = conditions.filter(|condition| condition.type_ == "ReplicaFailure" && condition.status == "True");
    failure.any(|condition| condition.reason.as_deref() == Some(REASON))
}
