//! How far an object of any other kind is, by what its status says.

use kube_core::DynamicObject;
use kube_core::GroupVersionKind;
use serde_json::Value;

use super::{Clock, Objects, Problem, State, Target, claim, finalizer, other_key, thresholds};
use diagnostics::code::rollout::{NAMES_REFUSED, STALLED};

pub fn state(target: &Target, kind: &GroupVersionKind, objects: &Objects, clock: Clock) -> State {
    let title = target.title();
    let key = other_key(kind, &target.namespace, &target.name);
    let Some(object) = objects.others.get(&key) else {
        return State::Waiting(format!("{title} is not there yet"));
    };
    if let Some(state) = finalizer::state(&title, &object.metadata, clock) {
        return state;
    }
    let generation = object.metadata.generation.unwrap_or(0);
    let observed = object
        .data
        .pointer("/status/observedGeneration")
        .and_then(Value::as_i64);
    if generation < target.generation || observed.is_some_and(|observed| observed < generation) {
        return State::Waiting(format!("{title}: its controller has not seen the change yet"));
    }
    match (kind.group.as_str(), kind.kind.as_str()) {
        ("", "PersistentVolumeClaim") => claim::state(&title, object, objects, clock),
        ("", "Service") => service(&title, object),
        ("autoscaling", "HorizontalPodAutoscaler") => autoscaler(&title, object, clock),
        ("apiextensions.k8s.io", "CustomResourceDefinition") => definition(&title, object),
        _ => by_conditions(&title, object),
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

    /// What it says, or at least its reason.
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

/// Only a Service of the type LoadBalancer gets here.
fn service(title: &str, object: &DynamicObject) -> State {
    let given = object
        .data
        .pointer("/status/loadBalancer/ingress")
        .and_then(Value::as_array);
    let addresses: Vec<&str> = given
        .into_iter()
        .flatten()
        .filter_map(|ingress| ingress["ip"].as_str().or(ingress["hostname"].as_str()))
        .collect();
    if addresses.is_empty() {
        State::Waiting(format!("{title}: no load balancer has given it an address yet"))
    } else {
        State::Done(format!("{title}: {}", addresses.join(", ")))
    }
}

/// An autoscaler without figures scales nothing, and the workload runs all the same: that is said, and is no failure.
fn autoscaler(title: &str, object: &DynamicObject, clock: Clock) -> State {
    match condition(object, "AbleToScale") {
        None => return State::Waiting(format!("{title}: its controller has not looked at it yet")),
        Some(able) if able.is_false() => {
            let sentence = format!("{title}: {}", able.text());
            let waited = clock.now.duration_since(clock.since);
            let next = "correct `scaleTargetRef`: it must name a workload of the same namespace";
            return if waited < thresholds::AUTOSCALER {
                State::Waiting(sentence)
            } else {
                Problem::new(&STALLED, sentence, next).failed()
            };
        }
        Some(_) => {}
    }
    State::Done(match condition(object, "ScalingActive") {
        Some(active) if !active.is_true() => format!("{title} scales nothing yet: {}", active.text()),
        _ => format!("{title} scales"),
    })
}

/// How far a CustomResourceDefinition is.
///
/// <https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/>
pub fn definition(title: &str, object: &DynamicObject) -> State {
    if let Some(names) = condition(object, "NamesAccepted").filter(Condition::is_false) {
        let next =
            "find the other definition: `kubectl get customresourcedefinitions`; rename one, or delete the other";
        return Problem::new(&NAMES_REFUSED, format!("{title}: {}", names.text()), next).failed();
    }
    if condition(object, "Established").is_some_and(|established| established.is_true()) {
        State::Done(format!("{title} is established"))
    } else {
        State::Waiting(format!("{title} is not established yet"))
    }
}

/// The rules that most controllers keep to: `Stalled` and `Reconciling` when they are true, `Ready` or `Available` when
/// they are not; an object without conditions is there.
/// <https://github.com/kubernetes-sigs/cli-utils/blob/master/pkg/kstatus/README.md>
fn by_conditions(title: &str, object: &DynamicObject) -> State {
    if let Some(stalled) = condition(object, "Stalled").filter(Condition::is_true) {
        let next = "correct what the message of its controller names";
        return Problem::new(&STALLED, format!("{title} cannot go on: {}", stalled.text()), next).failed();
    }
    if let Some(busy) = condition(object, "Reconciling").filter(Condition::is_true) {
        return State::Waiting(format!("{title}: {}", busy.text()));
    }
    match condition(object, "Ready").or_else(|| condition(object, "Available")) {
        Some(ready) if !ready.is_true() => State::Waiting(format!("{title} is not ready: {}", ready.text())),
        Some(_) => State::Done(format!("{title} is ready")),
        None => State::Done(format!("{title} is there")),
    }
}
