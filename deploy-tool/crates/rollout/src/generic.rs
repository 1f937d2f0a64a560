//! Evaluates objects of all other kinds, such as custom resources, by the conditions in their status.

use kube_core::{DynamicObject, GroupVersionKind};
use serde_json::Value;

use crate::presence::{self, Presence};
use crate::status::{Phase, RolloutStatus};
use crate::{Clock, Diagnosis, Objects, Target, events, other_key, pvc, thresholds};
use diagnostics::code::rollout::{LOAD_BALANCER, NAMES_REFUSED, NOT_READY, STALLED};

pub fn evaluate(target: &Target, kind: &GroupVersionKind, objects: &Objects, clock: Clock) -> RolloutStatus {
    let key = other_key(kind, &target.namespace, &target.name);
    let object = match presence::find(target, objects.others.get(&key), clock) {
        Presence::Present(object) => object,
        Presence::Absent(phase) => return target.status(None, phase),
    };
    let observed = object.data.pointer("/status/observedGeneration");
    let observed = observed.and_then(Value::as_i64);
    let phase = presence::unobserved(target, &object.metadata, observed).unwrap_or_else(|| {
        let title = target.title();
        match (kind.group.as_str(), kind.kind.as_str()) {
            ("", "PersistentVolumeClaim") => pvc::evaluate(&title, object, objects, clock),
            ("", "Service") => service(&title, object, objects, clock),
            ("autoscaling", "HorizontalPodAutoscaler") => autoscaler(object, clock),
            ("apiextensions.k8s.io", "CustomResourceDefinition") => definition_phase(&title, object),
            _ => by_conditions(target, object, clock),
        }
    });
    target.status(None, phase)
}

/// How far a CustomResourceDefinition is.
///
/// <https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/>
pub fn definition(title: &str, object: &DynamicObject) -> RolloutStatus {
    RolloutStatus {
        title: title.to_owned(),
        ready: None,
        phase: definition_phase(title, object),
    }
}

/// One entry of `status.conditions`.
struct Condition<'a> {
    status: &'a str,
    reason: &'a str,
    message: &'a str,
}

impl Condition<'_> {
    fn is_true(&self) -> bool {
        self.status == "True"
    }

    fn is_false(&self) -> bool {
        self.status == "False"
    }

    /// Its message, or else its reason.
    fn text(&self) -> &str {
        if self.message.is_empty() {
            self.reason
        } else {
            self.message
        }
    }
}

fn condition<'a>(object: &'a DynamicObject, kind: &str) -> Option<Condition<'a>> {
    let all = object.data.pointer("/status/conditions")?.as_array()?;
    let found = all.iter().find(|condition| condition["type"] == kind)?;
    let text = |field: &str| found[field].as_str().unwrap_or_default();
    Some(Condition {
        status: text("status"),
        reason: text("reason"),
        message: text("message"),
    })
}

/// A Service of the type LoadBalancer. One that no controller takes works all the same inside of the cluster and by its
/// node ports: that is a note, not a failure.
/// <https://kubernetes.io/docs/concepts/services-networking/service/#loadbalancer>
fn service(title: &str, object: &DynamicObject, objects: &Objects, clock: Clock) -> Phase {
    let given = object.data.pointer("/status/loadBalancer/ingress");
    let addresses: Vec<&str> = given
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(|ingress| ingress["ip"].as_str().or(ingress["hostname"].as_str()))
        .collect();
    if !addresses.is_empty() {
        return Phase::done_with_note(addresses.join(", "));
    }
    let events_of = || events::list_for(objects, &object.metadata);
    let warning = events_of()
        .filter(|event| event.type_.as_deref() == Some("Warning"))
        .max_by_key(|event| events::last_time(event));
    if let Some(warning) = warning {
        let message = events::message(warning);
        let sentence = format!("{title} gets no address: {message}");
        let next = "correct what the controller of load balancers names: its address pool, its quota, its rights";
        let waiting = Diagnosis::new(&LOAD_BALANCER, sentence, next).blocked();
        return waiting
            .with_reason(format!("no address: {message}"))
            .clear(true)
            .attempted(events::last_time(warning), None)
            .into();
    }
    let class = object.data.pointer("/spec/loadBalancerClass");
    let is_taken = events_of().next().is_some() || object.metadata.finalizers.iter().flatten().next().is_some();
    if is_taken || clock.waited(created(object)) < thresholds::LOAD_BALANCER {
        return Phase::in_progress("no load balancer has given it an address yet");
    }
    let of_class = class
        .and_then(Value::as_str)
        .map_or(String::new(), |class| format!(" of the class `{class}`"));
    Phase::done_with_note(format!(
        "without an address: no controller of load balancers{of_class} has taken it. MetalLB or cloud-provider-kind is one; \
         inside of the cluster and by its node ports it works without"
    ))
}

fn created(object: &DynamicObject) -> Option<jiff::Timestamp> {
    object.metadata.creation_timestamp.as_ref().map(|time| time.0)
}

/// An autoscaler that scales nothing lets the workload run all the same: that is a note, not a failure.
fn autoscaler(object: &DynamicObject, clock: Clock) -> Phase {
    let able = condition(object, "AbleToScale");
    let is_early = clock.waited(None) < thresholds::FIRST_STATUS;
    match (able, condition(object, "ScalingActive")) {
        (None, _) if is_early => Phase::in_progress("its controller has not looked at it yet"),
        (None, _) => Phase::done_with_note("its controller has not looked at it"),
        (Some(able), _) if able.is_false() && is_early => Phase::in_progress(able.text()),
        (Some(able), _) if able.is_false() => Phase::done_with_note(format!("scales nothing: {}", able.text())),
        (Some(_), Some(active)) if !active.is_true() => {
            Phase::done_with_note(format!("scales nothing yet: {}", active.text()))
        }
        (Some(_), _) => Phase::done_with_note("scales"),
    }
}

fn definition_phase(title: &str, object: &DynamicObject) -> Phase {
    if let Some(names) = condition(object, "NamesAccepted").filter(Condition::is_false) {
        let next =
            "find the other definition: `kubectl get customresourcedefinitions`; rename one, or delete the other";
        return Diagnosis::new(&NAMES_REFUSED, format!("{title}: {}", names.text()), next).failed();
    }
    if condition(object, "Established").is_some_and(|established| established.is_true()) {
        Phase::done_with_note("established")
    } else {
        Phase::in_progress("not established yet")
    }
}

/// The rules that most controllers keep to: `Stalled` and `Reconciling` when they are true, `Ready` or `Available` when
/// they are not; an object without conditions is there.
/// <https://github.com/kubernetes-sigs/cli-utils/blob/master/pkg/kstatus/README.md>
fn by_conditions(target: &Target, object: &DynamicObject, clock: Clock) -> Phase {
    let title = target.title();
    if let Some(stalled) = condition(object, "Stalled").filter(Condition::is_true) {
        let next = "correct what the message of its controller names";
        return Diagnosis::new(&STALLED, format!("{title} cannot go on: {}", stalled.text()), next).failed();
    }
    if let Some(busy) = condition(object, "Reconciling").filter(Condition::is_true) {
        return Phase::in_progress(busy.text());
    }
    match condition(object, "Ready").or_else(|| condition(object, "Available")) {
        // Controllers write False while they are still at it: only they know when that ends.
        Some(ready) if !ready.is_true() => {
            let reason = format!("not ready: {}", ready.text());
            let next = "its controller's message says what it waits for; `kubectl describe` shows the rest";
            let diagnosis = Diagnosis::new(&NOT_READY, format!("{title} is {reason}"), next);
            diagnosis.blocked().with_reason(reason).into()
        }
        Some(_) => Phase::done_with_note("ready"),
        None if target.has_conditions && object.data.pointer("/status/conditions").is_none() => {
            if clock.waited(created(object)) < thresholds::FIRST_STATUS {
                Phase::in_progress("its controller has not looked at it yet")
            } else {
                Phase::done_with_note("stored; no controller has looked at it")
            }
        }
        None => Phase::DONE,
    }
}

/// Whether the objects of a version of a CustomResourceDefinition have `status.conditions`: see
/// [`Target::has_conditions`].
pub fn declares_conditions(definition: &Value, version: &str) -> bool {
    let versions = definition.pointer("/spec/versions").and_then(Value::as_array);
    let of_version = |found: &&Value| found["name"] == version;
    let schema = versions.into_iter().flatten().find(of_version);
    let conditions = "/schema/openAPIV3Schema/properties/status/properties/conditions";
    schema.is_some_and(|version| version.pointer(conditions).is_some())
}
