//! Dapr's sidecar in a pod: whether it is there where it was asked for, and which of its components keeps it from starting.

use k8s_openapi::api::core::v1::{ContainerStatus, Pod};

use crate::{Diagnosis, pod_view};
use diagnostics::code::rollout::{SIDECAR_COMPONENT, SIDECAR_MISSING};

/// What Dapr calls the container.
pub const SIDECAR: &str = "daprd";
/// The annotation of a pod that asks Dapr's injector for a sidecar.
/// <https://docs.dapr.io/reference/arguments-annotations-overview/>
pub const SIDECAR_ANNOTATION: &str = "dapr.io/enabled";
/// The sidecar's message before the name and type of a component that failed: `statestore (state.mysql/v1): …`.
const FAILED_COMPONENT: &str = "initialization error occurred for ";

/// Whether a value of [`SIDECAR_ANNOTATION`] asks for a sidecar.
pub fn is_sidecar_requested(value: &str) -> bool {
    matches!(value, "true" | "y" | "yes" | "1" | "on")
}

/// The diagnosis of a pod without the sidecar that it asked for. Its webhook lets pods in while the injector is away, and they
/// look healthy.
pub fn missing(pod: &Pod) -> Option<Diagnosis> {
    let annotations = pod.metadata.annotations.as_ref()?;
    let asks = annotations
        .get(SIDECAR_ANNOTATION)
        .is_some_and(|value| is_sidecar_requested(value));
    if !asks || pod_view::container(pod, SIDECAR).is_some() {
        return None;
    }
    let title = pod_view::title(pod);
    Some(Diagnosis::new(
        &SIDECAR_MISSING,
        format!("{title} has no container `{SIDECAR}`, though its annotation `{SIDECAR_ANNOTATION}` asks for one"),
        "see that Dapr's injector runs (`kubectl get pods --all-namespaces --selector app=dapr-sidecar-injector`) and that it \
         covers this namespace, then have the pods made again: `deploy-tool restart`",
    ))
}

/// The diagnosis of a sidecar that has ended because a component does not start, by its last words.
pub fn failed_component(pod: &Pod, status: &ContainerStatus, words: &str) -> Option<Diagnosis> {
    if status.name != SIDECAR {
        return None;
    }
    let (line, found) = words
        .lines()
        .rev()
        // The line has the prefix twice; the component follows the last one.
        .find_map(|line| Some((line, line.rsplit_once(FAILED_COMPONENT)?.1)))?;
    let (component, reason) = found.split_once("): ")?;
    let (name, kind) = component.split_once(" (")?;
    let reason = message_rest(reason);
    let title = pod_view::title(pod);
    Some(
        Diagnosis::new(
            &SIDECAR_COMPONENT,
            format!("the sidecar of {title} cannot start its component `{name}` ({kind}): {reason}"),
            format!("see that what is behind `{name}` runs and can be reached, and correct the component's metadata"),
        )
        .detail(vec![line.to_owned()]),
    )
}

/// Unescapes the rest of the field `msg` of a log line, up to its closing quote: `msg="…" app_id=…`.
fn message_rest(text: &str) -> String {
    let mut decoded = String::new();
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match character {
            '"' => break,
            '\\' => decoded.extend(characters.next()),
            character => decoded.push(character),
        }
    }
    decoded
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn pod(enabled: &str, containers: &[&str]) -> Pod {
        let containers: Vec<_> = containers.iter().map(|name| json!({"name": name})).collect();
        serde_json::from_value(json!({
            "metadata": {"name": "orders-1", "annotations": {"dapr.io/enabled": enabled}},
            "spec": {"containers": containers},
        }))
        .unwrap()
    }

    #[test]
    fn a_pod_has_the_sidecar_that_it_asked_for() {
        let diagnosis = missing(&pod("true", &["orders"])).unwrap();
        assert_eq!(diagnosis.code, &SIDECAR_MISSING);
        assert!(diagnosis.sentence.contains("pod `orders-1` has no container `daprd`"));
        assert_eq!(missing(&pod("true", &["orders", "daprd"])), None);
        assert_eq!(missing(&pod("false", &["orders"])), None);
        assert_eq!(missing(&Pod::default()), None);
        // A native sidecar is one as well.
        let mut native = pod("true", &["orders"]);
        let init = serde_json::from_value(json!([{"name": "daprd", "restartPolicy": "Always"}])).unwrap();
        native.spec.as_mut().unwrap().init_containers = Some(init);
        assert_eq!(missing(&native), None);
    }

    #[test]
    fn the_component_that_does_not_start_is_named() {
        // As daprd 1.16 says it.
        let twice = "[INIT_COMPONENT_FAILURE]: initialization error occurred for messages (pubsub.jetstream/v1): ";
        let words = format!(
            "time=\"2026-11-29T16:34:51.1Z\" level=info msg=\"Starting\" app_id=waits ver=1.16.0\n\
             time=\"2026-11-29T16:34:51.2Z\" level=fatal msg=\"Fatal error from runtime: process component messages error: \
             {twice}{twice}nats: no servers available for \\\"a\\\"\" app_id=waits instance=waits-5d9c scope=dapr.runtime \
             type=log ver=1.16.0"
        );
        let words = words.as_str();
        let status = |name: &str| ContainerStatus {
            name: name.to_owned(),
            ..ContainerStatus::default()
        };
        let pod = pod("true", &["orders", "daprd"]);
        let diagnosis = failed_component(&pod, &status("daprd"), words).unwrap();
        assert_eq!(diagnosis.code, &SIDECAR_COMPONENT);
        assert_eq!(
            diagnosis.sentence,
            "the sidecar of pod `orders-1` cannot start its component `messages` (pubsub.jetstream/v1): nats: no servers \
             available for \"a\""
        );
        assert_eq!(failed_component(&pod, &status("orders"), words), None);
        assert_eq!(
            failed_component(&pod, &status("daprd"), "time=1 level=fatal msg=\"other\""),
            None
        );
    }
}
