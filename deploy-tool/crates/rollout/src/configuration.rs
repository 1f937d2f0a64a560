//! Secrets and ConfigMaps that a pod needs and that are not there.

use k8s_openapi::api::core::v1::Pod;

use crate::{Diagnosis, pod_view};
use diagnostics::code::rollout::CONFIGURATION_MISSING;

/// The diagnosis for a missing Secret, ConfigMap or key in one, if the kubelet's message is about that.
/// <https://github.com/kubernetes/kubernetes/blob/master/pkg/kubelet/kubelet_pods.go>
pub fn diagnose(title: &str, pod: &Pod, message: &str) -> Option<Diagnosis> {
    let (kind, name) = missing(message)?;
    let namespace = pod_view::namespace(pod);
    let command = match kind {
        "Secret" => "create secret generic",
        _ => "create configmap",
    };
    let (sentence, next) = match key(message) {
        Some(key) => (
            format!("{title} needs the key `{key}` of {kind} `{name}`, which is not in it"),
            format!("add the key to the {kind}, or correct the reference"),
        ),
        None => (
            format!("{title} needs {kind} `{name}`, which is not there"),
            format!(
                "apply it with the workload, or make it: \
                 `kubectl --namespace {namespace} {command} {name} --from-literal=KEY=VALUE`"
            ),
        ),
    };
    Some(Diagnosis::new(&CONFIGURATION_MISSING, sentence, next).detail(vec![message.to_owned()]))
}

/// The kubelet has just begun to watch a Secret or ConfigMap, and has not heard of it in time: it asks again.
/// <https://github.com/kubernetes/kubernetes/blob/v1.36.0/pkg/kubelet/util/manager/watch_based_manager.go>
pub fn is_not_yet_known(message: &str) -> bool {
    message.contains("failed to sync ") && message.contains(" cache: ")
}

/// `secret "x" not found`, `couldn't find key k in Secret n/x`, and the same of a ConfigMap.
fn missing(message: &str) -> Option<(&'static str, &str)> {
    for (kind, absent, without) in [
        ("Secret", "secret \"", " in Secret "),
        ("ConfigMap", "configmap \"", " in ConfigMap "),
    ] {
        if let Some((_, rest)) = message.split_once(absent)
            && let Some((name, rest)) = rest.split_once('"')
            && rest.starts_with(" not found")
        {
            return Some((kind, name));
        }
        if let Some((start, place)) = message.split_once(without)
            && start.contains("find key")
        {
            return Some((kind, place.rsplit('/').next().unwrap_or(place).trim()));
        }
    }
    None
}

fn key(message: &str) -> Option<&str> {
    message.split_once("find key ")?.1.split_whitespace().next()
}
