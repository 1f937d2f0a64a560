//! Pure: the objects that are deployed.

use serde_json::{Value, json};

/// How many of which objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Set {
    /// A service as people have them: three workloads and what they need.
    Ten,
    /// What is there as soon as it is stored.
    TwoHundred,
}

impl Set {
    /// In the order of the table.
    pub const ALL: [Self; 2] = [Self::Ten, Self::TwoHundred];

    /// For names and tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ten => "10",
            Self::TwoHundred => "200",
        }
    }
}

/// The objects of a set.
pub fn objects(set: Set, namespace: &str, image: &str) -> Vec<Value> {
    match set {
        Set::Ten => service(namespace, image),
        Set::TwoHundred => (0..200).map(|number| plain(number, namespace)).collect(),
    }
}

fn service(namespace: &str, image: &str) -> Vec<Value> {
    vec![
        json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata("shop", namespace)}),
        configuration("shop", namespace),
        configuration("worker", namespace),
        json!({"apiVersion": "v1", "kind": "Secret", "metadata": metadata("shop", namespace),
            "stringData": {"password": "not-a-secret"}}),
        network_service("shop", namespace),
        network_service("queue", namespace),
        json!({"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": metadata("shop", namespace),
            "spec": {"maxUnavailable": 1, "selector": {"matchLabels": {"app": "shop"}}}}),
        workload("Deployment", "shop", 2, namespace, image),
        workload("Deployment", "worker", 2, namespace, image),
        workload("StatefulSet", "queue", 1, namespace, image),
    ]
}

fn plain(number: usize, namespace: &str) -> Value {
    let name = format!("object-{number}");
    match number % 4 {
        0 => network_service(&name, namespace),
        1 => json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata(&name, namespace)}),
        _ => configuration(&name, namespace),
    }
}

fn metadata(name: &str, namespace: &str) -> Value {
    json!({"name": name, "namespace": namespace, "labels": {"app": name}})
}

fn configuration(name: &str, namespace: &str) -> Value {
    let settings = "level = info\n".repeat(20);
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata(name, namespace), "data": {"settings": settings}})
}

fn network_service(name: &str, namespace: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "Service", "metadata": metadata(name, namespace),
        "spec": {"selector": {"app": name}, "ports": [{"name": "http", "port": 80, "targetPort": 8080, "protocol": "TCP"}]}})
}

fn workload(kind: &str, name: &str, replicas: u32, namespace: &str, image: &str) -> Value {
    let container = json!({"name": name, "image": image, "imagePullPolicy": "IfNotPresent",
        "env": [{"name": "NAME", "value": name}],
        "resources": {"requests": {"cpu": "5m", "memory": "4Mi"}, "limits": {"memory": "32Mi"}}});
    let mut workload = json!({"apiVersion": "apps/v1", "kind": kind, "metadata": metadata(name, namespace),
        "spec": {"replicas": replicas, "selector": {"matchLabels": {"app": name}},
            "template": {"metadata": {"labels": {"app": name}},
                "spec": {"terminationGracePeriodSeconds": 1, "containers": [container]}}}});
    if kind == "StatefulSet" {
        workload["spec"]["serviceName"] = json!(name);
    }
    workload
}

/// The workloads among them, as kubectl names them.
pub fn workloads(objects: &[Value]) -> Vec<String> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_ascii_lowercase();
    let workload = |object: &&Value| object["apiVersion"] == "apps/v1";
    let names = objects.iter().filter(workload);
    names
        .map(|object| format!("{}/{}", text(&object["kind"]), text(&object["metadata"]["name"])))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sets_are_as_large_as_they_say_and_name_nothing_twice() {
        for set in Set::ALL {
            let objects = objects(set, "n", "i");
            assert_eq!(objects.len().to_string(), set.name());
            let mut names: Vec<String> = objects
                .iter()
                .map(|object| format!("{}/{}", object["kind"], object["metadata"]["name"]))
                .collect();
            names.sort();
            names.dedup();
            assert_eq!(names.len(), objects.len());
        }
        let names = workloads(&objects(Set::Ten, "n", "i"));
        assert_eq!(names, ["deployment/shop", "deployment/worker", "statefulset/queue"]);
    }
}
