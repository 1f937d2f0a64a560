//! Objects that are being deleted while they are waited for.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use crate::status::Phase;
use crate::{Clock, Diagnosis, thresholds};
use diagnostics::code::rollout::HELD;

/// The finalizers of Kubernetes itself, which its controllers remove in time: after the dependent objects are deleted, no
/// pod uses the volume, or the load balancer is removed.
/// <https://kubernetes.io/docs/concepts/overview/working-with-objects/finalizers/>
const KUBERNETES_FINALIZERS: [&str; 5] = [
    "foregroundDeletion",
    "orphan",
    "kubernetes.io/pvc-protection",
    "service.kubernetes.io/load-balancer-cleanup",
    "batch.kubernetes.io/job-tracking",
];

/// The phase of an object that is being deleted: it cannot be created again before it is gone. `resource` is the name of
/// its kind for kubectl.
pub fn evaluate(title: &str, resource: &str, metadata: &ObjectMeta, clock: Clock) -> Option<Phase> {
    let deleted = metadata.deletion_timestamp.as_ref()?.0;
    let Some(held) = diagnose(title, resource, metadata) else {
        return Some(Phase::in_progress("being deleted"));
    };
    let reason = format!("being deleted, and held by {}", foreign(metadata).join(", "));
    let is_late = clock.waited(Some(deleted)) >= thresholds::HELD;
    Some(held.blocked().with_reason(reason).clear(is_late).into())
}

/// Why an object that is being deleted does not go, when a finalizer holds it.
pub fn diagnose(title: &str, resource: &str, metadata: &ObjectMeta) -> Option<Diagnosis> {
    metadata.deletion_timestamp.as_ref()?;
    let finalizers = foreign(metadata);
    if finalizers.is_empty() {
        return None;
    }
    let name = metadata.name.as_deref().unwrap_or_default();
    let location = match &metadata.namespace {
        Some(namespace) => format!(" --namespace {namespace}"),
        None => String::new(),
    };
    let next = format!(
        "find out why the controllers behind them do not finish; if there are none any more, let it go: \
         `kubectl{location} patch {resource} {name} --type=merge --patch='{{\"metadata\":{{\"finalizers\":null}}}}'`"
    );
    let sentence = format!("{title} is being deleted, and held by {}", finalizers.join(", "));
    Some(Diagnosis::new(&HELD, sentence, next))
}

fn foreign(metadata: &ObjectMeta) -> Vec<&str> {
    let all = metadata.finalizers.iter().flatten().map(String::as_str);
    all.filter(|name| !KUBERNETES_FINALIZERS.contains(name)).collect()
}
