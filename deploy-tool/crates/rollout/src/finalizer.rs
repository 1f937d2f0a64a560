//! Objects that are being deleted while they are waited for.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::{Clock, Problem, State, thresholds};
use diagnostics::code::rollout::HELD;

/// Kubernetes' own: the garbage collector takes them off once what belongs to the object is gone.
/// <https://kubernetes.io/docs/concepts/architecture/garbage-collection/#cascading-deletion>
const OF_THE_COLLECTOR: [&str; 2] = ["foregroundDeletion", "orphan"];

/// Says that an object is on its way out, if it is: it cannot be made anew before it is gone.
pub fn state(title: &str, metadata: &ObjectMeta, clock: Clock) -> Option<State> {
    let deleted = metadata.deletion_timestamp.as_ref()?.0;
    let waited = clock.now.duration_since(deleted.max(clock.since));
    Some(match held(title, metadata) {
        Some(problem) if waited >= thresholds::HELD => problem.failed(),
        Some(problem) => State::Waiting(problem.sentence),
        None => State::Waiting(format!("{title} is being deleted")),
    })
}

/// Why an object that is being deleted does not go, when a finalizer holds it.
pub fn held(title: &str, metadata: &ObjectMeta) -> Option<Problem> {
    metadata.deletion_timestamp.as_ref()?;
    let finalizers: Vec<&str> = metadata
        .finalizers
        .iter()
        .flatten()
        .map(String::as_str)
        .filter(|name| !OF_THE_COLLECTOR.contains(name))
        .collect();
    if finalizers.is_empty() {
        return None;
    }
    let kind = title.split_whitespace().next().unwrap_or_default().to_ascii_lowercase();
    let name = metadata.name.as_deref().unwrap_or_default();
    let place = match &metadata.namespace {
        Some(namespace) => format!(" --namespace {namespace}"),
        None => String::new(),
    };
    let next = format!(
        "find out why the controllers behind them do not finish; if there are none any more, let it go: \
         `kubectl{place} patch {kind} {name} --type=merge --patch='{{\"metadata\":{{\"finalizers\":null}}}}'`"
    );
    let sentence = format!("{title} is being deleted, and held by {}", finalizers.join(", "));
    Some(Problem::new(&HELD, sentence, next))
}
