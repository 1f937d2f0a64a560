//! Pods that the API server does not even let in: admission, quota, Pod Security.

use jiff::Timestamp;
use k8s_openapi::api::core::v1::Event;
use kube::ResourceExt;

use super::{Clock, Objects, Problem, State, Target, TargetKind, deployment, events, is_owned_by, thresholds};

/// The reason that controllers write into the event.
const REASON: &str = "FailedCreate";

/// What makes pods, by namespace and name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Controller {
    /// A ReplicaSet of a Deployment.
    ReplicaSet(String, String),
    /// A StatefulSet.
    StatefulSet(String, String),
}

/// Why a controller's pods are refused by the API server, if they are.
pub fn state(objects: &Objects, uid: Option<&str>, title: &str, clock: Clock) -> Option<State> {
    let event = standing(objects, uid)?;
    let message = events::message(event);
    let next = if message.contains("RuntimeClass") {
        "apply the RuntimeClass first (manifests/runtimeclass.yaml), or correct `runtimeClassName`"
    } else if message.contains("exceeded quota") {
        "ask for less, or raise the namespace's ResourceQuota"
    } else if message.contains("PodSecurity") {
        "correct the pod's securityContext as the message says; the namespace's label pod-security.kubernetes.io/enforce \
         asks for it"
    } else {
        "correct the manifest as the message says"
    };
    let sentence = format!("{title}: the API server refuses its pods: {message}");
    // An old event may tell of what has been put right: the next attempt will show.
    let fresh = events::last_time(event)? >= clock.since;
    let decided = fresh && clock.now.duration_since(clock.since) >= thresholds::REFUSED_PODS;
    Some(if decided {
        Problem::new(sentence, next).failed()
    } else {
        State::Waiting(sentence)
    })
}

/// Controllers whose pods were refused before somebody began to wait, and that have not tried again since. They wait
/// longer each time, up to a quarter of an hour: after a correction elsewhere they need a nudge.
/// <https://github.com/kubernetes/kubernetes/blob/master/pkg/controller/replicaset/replica_set.go>
pub fn refused_before(target: &Target, objects: &Objects, since: Timestamp) -> Vec<Controller> {
    let key = format!("{}/{}", target.namespace, target.name);
    let (uid, controller) = match target.kind {
        TargetKind::Deployment => {
            let deployment = objects.deployments.get(&key);
            let Some(set) = deployment.and_then(|deployment| deployment::newest_replica_set(deployment, objects))
            else {
                return Vec::new();
            };
            (
                set.metadata.uid.as_deref(),
                Controller::ReplicaSet(target.namespace.clone(), set.name_any()),
            )
        }
        TargetKind::StatefulSet => {
            let uid = objects
                .stateful_sets
                .get(&key)
                .and_then(|set| set.metadata.uid.as_deref());
            (
                uid,
                Controller::StatefulSet(target.namespace.clone(), target.name.clone()),
            )
        }
    };
    let stale = standing(objects, uid)
        .and_then(events::last_time)
        .is_some_and(|last| last < since);
    if stale { vec![controller] } else { Vec::new() }
}

/// The newest refusal of a controller's pods, unless a pod has been let in since.
fn standing<'a>(objects: &'a Objects, uid: Option<&str>) -> Option<&'a Event> {
    let event = events::newest(objects, uid, REASON)?;
    let last = events::last_time(event)?;
    let pods = objects.pods.values().filter(|pod| is_owned_by(&pod.metadata, uid));
    let mut created = pods.filter_map(|pod| pod.metadata.creation_timestamp.as_ref());
    (!created.any(|time| time.0 >= last)).then_some(event)
}
