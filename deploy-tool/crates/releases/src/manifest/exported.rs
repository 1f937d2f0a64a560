//! Pure: takes out of an object what only the server, or a controller, fills in: `kubectl get -o yaml` prints it, and
//! applying it would be refused or be wrong elsewhere.
//!
//! <https://kubernetes.io/docs/reference/using-api/api-concepts/#resource-fields>

use serde_json::{Map, Value};

/// What no manifest can set.
const FILLED_IN: [&str; 8] = [
    "creationTimestamp",
    "deletionGracePeriodSeconds",
    "deletionTimestamp",
    "generation",
    "managedFields",
    "resourceVersion",
    "selfLink",
    "uid",
];
/// Annotations that kubectl and controllers keep for themselves.
const KEPT_BY_OTHERS: [&str; 9] = [
    "kubectl.kubernetes.io/last-applied-configuration",
    "deployment.kubernetes.io/revision",
    "deprecated.daemonset.template.generation",
    "pv.kubernetes.io/bind-completed",
    "pv.kubernetes.io/bound-by-controller",
    "pv.kubernetes.io/provisioned-by",
    "volume.beta.kubernetes.io/storage-provisioner",
    "volume.kubernetes.io/storage-provisioner",
    "volume.kubernetes.io/selected-node",
];
/// Labels by which a Job that names no selector finds its pods.
const OF_A_JOB: [&str; 4] = [
    "controller-uid",
    "job-name",
    "batch.kubernetes.io/controller-uid",
    "batch.kubernetes.io/job-name",
];

/// Takes it out.
pub fn strip(object: &mut Map<String, Value>) {
    let was_stored = |metadata: &Map<String, Value>| {
        let marks = ["managedFields", "resourceVersion", "uid"];
        marks.iter().any(|mark| metadata.contains_key(*mark))
    };
    let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) else {
        return;
    };
    let exported = was_stored(metadata);
    metadata.retain(|field, _| !FILLED_IN.contains(&field.as_str()));
    remove_entries(metadata, "annotations", &KEPT_BY_OTHERS);
    let api_version = object.get("apiVersion").and_then(Value::as_str).unwrap_or_default();
    // Of another kind it may be an ordinary field; where it is not, the server leaves it out by itself.
    let is_own = !api_version.contains('.')
        || api_version
            .split('/')
            .next()
            .is_some_and(|group| group.ends_with(".k8s.io"));
    if exported || is_own {
        object.remove("status");
    }
    if exported {
        strip_specification(object);
    }
}

/// Removes fields that the server and its controllers set by default. Only in an exported object are they known not to be
/// the user's choice.
fn strip_specification(object: &mut Map<String, Value>) {
    let kind = object
        .get("kind")
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned();
    let api_version = object
        .get("apiVersion")
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned();
    if (api_version.as_str(), kind.as_str()) == ("batch/v1", "Job") {
        strip_job(object);
    }
    let Some(specification) = object.get_mut("spec").and_then(Value::as_object_mut) else {
        return;
    };
    match (api_version.as_str(), kind.as_str()) {
        // `clusterIP: None`, a headless Service, is the author's choice.
        ("v1", "Service") if specification.get("clusterIP").is_none_or(|address| address != "None") => {
            specification
                .retain(|field, _| !["clusterIP", "clusterIPs", "healthCheckNodePort"].contains(&field.as_str()));
        }
        ("v1", "Pod") => _ = specification.remove("nodeName"),
        ("v1", "PersistentVolumeClaim") => _ = specification.remove("volumeName"),
        ("v1", "PersistentVolume") => _ = specification.remove("claimRef"),
        ("v1", "Namespace") => _ = specification.remove("finalizers"),
        _ => {}
    }
}

fn strip_job(object: &mut Map<String, Value>) {
    let chosen = object
        .get("spec")
        .and_then(|spec| spec.get("manualSelector"))
        .is_some_and(|manual| manual == true);
    if chosen {
        return;
    }
    if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        remove_entries(metadata, "labels", &OF_A_JOB);
    }
    let Some(specification) = object.get_mut("spec").and_then(Value::as_object_mut) else {
        return;
    };
    specification.remove("selector");
    let template = specification
        .get_mut("template")
        .and_then(|template| template.get_mut("metadata"));
    if let Some(metadata) = template.and_then(Value::as_object_mut) {
        remove_entries(metadata, "labels", &OF_A_JOB);
    }
}

/// Takes entries out of a map, and the map as well when nothing is left of it.
fn remove_entries(metadata: &mut Map<String, Value>, field: &str, names: &[&str]) {
    let Some(map) = metadata.get_mut(field).and_then(Value::as_object_mut) else {
        return;
    };
    let before = map.len();
    map.retain(|name, _| !names.contains(&name.as_str()));
    if map.is_empty() && before > 0 {
        metadata.remove(field);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn stripped(mut object: Value) -> Value {
        strip(object.as_object_mut().unwrap());
        object
    }

    #[test]
    fn what_the_server_fills_in_is_left_out() {
        let filled_in = json!({"name": "a", "uid": "1", "resourceVersion": "1", "generation": 2, "selfLink": "/a",
            "creationTimestamp": "2024-01-01T00:00:00Z", "deletionTimestamp": "2024-01-01T00:00:00Z",
            "deletionGracePeriodSeconds": 0, "managedFields": [{"manager": "kubectl"}],
            "annotations": {"kubectl.kubernetes.io/last-applied-configuration": "{}"}});
        let cases = [
            (
                json!({"apiVersion": "v1", "kind": "ConfigMap", "data": {"uid": "kept"}}),
                json!({"apiVersion": "v1", "kind": "ConfigMap", "data": {"uid": "kept"}}),
            ),
            (
                json!({"apiVersion": "v1", "kind": "Service", "spec": {"clusterIP": "10.0.0.1", "clusterIPs": ["10.0.0.1"], "type": "ClusterIP"}, "status": {}}),
                json!({"apiVersion": "v1", "kind": "Service", "spec": {"type": "ClusterIP"}}),
            ),
            (
                json!({"apiVersion": "v1", "kind": "Service", "spec": {"clusterIP": "None"}}),
                json!({"apiVersion": "v1", "kind": "Service", "spec": {"clusterIP": "None"}}),
            ),
            (
                json!({"apiVersion": "v1", "kind": "Pod", "spec": {"nodeName": "n", "containers": []}, "status": {"phase": "Running"}}),
                json!({"apiVersion": "v1", "kind": "Pod", "spec": {"containers": []}}),
            ),
            (
                json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "spec": {"volumeName": "pvc-1"}}),
                json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "spec": {}}),
            ),
            (
                json!({"apiVersion": "batch/v1", "kind": "Job", "spec": {"selector": {"matchLabels": {"batch.kubernetes.io/controller-uid": "1"}},
                    "template": {"metadata": {"labels": {"batch.kubernetes.io/controller-uid": "1", "job-name": "a", "app": "a"}}}}}),
                json!({"apiVersion": "batch/v1", "kind": "Job", "spec": {"template": {"metadata": {"labels": {"app": "a"}}}}}),
            ),
            (
                json!({"apiVersion": "example.com/v1", "kind": "Widget", "status": {"phase": "Ready"}}),
                json!({"apiVersion": "example.com/v1", "kind": "Widget"}),
            ),
        ];
        for (mut object, mut expected) in cases {
            object["metadata"] = filled_in.clone();
            expected["metadata"] = json!({"name": "a"});
            assert_eq!(stripped(object), expected);
        }
    }

    #[test]
    fn what_somebody_has_written_is_kept() {
        for written in [
            json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "dns"}, "spec": {"clusterIP": "10.96.0.10"}}),
            json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}, "spec": {"nodeName": "n"}}),
            json!({"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": "a"}, "status": "wanted"}),
            json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "annotations": {}, "labels": {"uid": "1"}}}),
        ] {
            assert_eq!(stripped(written.clone()), written);
        }
        let generated = json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
            "metadata": {"name": "a", "creationTimestamp": null}, "status": {"conditions": []}});
        let expected = json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": "a"}});
        assert_eq!(stripped(generated), expected);
    }
}
