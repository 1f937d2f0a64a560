//! How far a PersistentVolumeClaim is.

use k8s_openapi::api::core::v1::Event;
use kube_core::DynamicObject;
use serde_json::Value;

use crate::status::Phase;
use crate::{Clock, Diagnosis, Evidence, Objects, events, thresholds};
use diagnostics::code::rollout::CLAIM_PENDING;

/// What the volume controller and provisioners write when they cannot give a volume.
/// <https://github.com/kubernetes/kubernetes/blob/master/pkg/controller/volume/events/event.go>
const TROUBLE: [&str; 2] = ["ProvisioningFailed", "FailedBinding"];
/// What the volume controller writes when a pod has to come first: nothing would change by waiting.
/// <https://kubernetes.io/docs/concepts/storage/storage-classes/#volume-binding-mode>
const POD_FIRST: [&str; 2] = ["WaitForFirstConsumer", "WaitForPodScheduled"];

pub fn evaluate(title: &str, object: &DynamicObject, objects: &Objects, clock: Clock) -> Phase {
    let name = object.metadata.name.as_deref().unwrap_or_default();
    let namespace = object.metadata.namespace.as_deref().unwrap_or_default();
    match object.data.pointer("/status/phase").and_then(Value::as_str) {
        Some("Bound") => return Phase::done_with_note("bound"),
        Some("Lost") => {
            let sentence = format!("{title} has lost its volume");
            let next = format!(
                "bring the volume back: `kubectl --namespace {namespace} describe persistentvolumeclaim {name}`"
            );
            return Diagnosis::new(&CLAIM_PENDING, sentence, next).failed();
        }
        _ => {}
    }
    let has = |reason: &&str| events::newest(objects, &object.metadata, reason).is_some();
    if POD_FIRST.iter().any(has) {
        return Phase::done_with_note("gets its volume with its first pod");
    }
    let Some(cause) = provisioner_error(objects, namespace, name) else {
        return Phase::in_progress("no volume yet");
    };
    let diagnosis = diagnose(&format!("{title} gets no volume"), namespace, name, cause);
    let is_late = clock.waited(None) >= thresholds::CLAIM;
    let waiting = diagnosis.blocked().clear(is_late);
    waiting.with_reason(format!("gets no volume: {cause}")).into()
}

/// The provisioner's message about a PersistentVolumeClaim.
pub fn provisioner_error<'a>(objects: &'a Objects, namespace: &str, name: &str) -> Option<&'a str> {
    let is_trouble = |event: &&Event| {
        let about_claim = event.involved_object.kind.as_deref() == Some("PersistentVolumeClaim");
        about_claim && event.reason.as_deref().is_some_and(|reason| TROUBLE.contains(&reason))
    };
    let all = events::list_by_name(objects, namespace, name).filter(is_trouble);
    all.max_by_key(|event| events::last_time(event)).map(events::message)
}

/// A claim without a volume. `cause` is the provisioner's sentence.
pub fn diagnose(start: &str, namespace: &str, name: &str, cause: &str) -> Diagnosis {
    let next = format!(
        "name a StorageClass that the cluster has, or make one the default; a claim's class cannot be changed, so delete \
         it before you apply it again: `kubectl --namespace {namespace} delete persistentvolumeclaim {name}`"
    );
    Diagnosis::new(&CLAIM_PENDING, format!("{start}: {cause}"), next).with(Evidence::StorageClasses)
}
