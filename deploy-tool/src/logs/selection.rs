//! Pure: which pods of a namespace are meant.

use kube::ResourceExt;
use serde_json::{Value, json};

use crate::workload::{Kind, WorkloadInfo};
use releases::manifest::Object;
use rollout::label_selector;

/// The label of a pod with the name of its Job.
/// <https://kubernetes.io/docs/reference/labels-annotations-taints/#batch-kubernetes-io-job-name>
pub const JOB_LABEL: &str = "batch.kubernetes.io/job-name";

/// Some pods of a namespace: by labels, by name, or all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// A label selector.
    pub labels: Option<String>,
    /// A field selector.
    pub fields: Option<String>,
}

impl Selection {
    /// Those with some labels.
    pub fn by_labels(labels: String) -> Self {
        Self {
            labels: Some(labels),
            fields: None,
        }
    }

    /// The one of a name.
    pub fn by_name(pod: &str) -> Self {
        Self {
            labels: None,
            fields: Some(format!("metadata.name={pod}")),
        }
    }
}

/// The pods that manifests make in a namespace, whether they are there yet or not. Those of a CronJob are known by the labels
/// of its template alone.
pub fn select_pods(objects: &[Object], namespace: &str) -> Vec<Selection> {
    let mut selections: Vec<Selection> = Vec::new();
    let in_namespace = objects
        .iter()
        .filter(|object| object.namespace().is_none_or(|own| own == namespace));
    for selection in in_namespace.filter_map(of_object) {
        if !selections.contains(&selection) {
            selections.push(selection);
        }
    }
    selections
}

fn of_object(object: &Object) -> Option<Selection> {
    let group = object.group_version_kind().group;
    let kind = Kind::from_name(object.kind()).filter(|_| ["", "apps", "batch"].contains(&&*group))?;
    let name = object.value.name_any();
    match kind {
        // It selects the pods of others.
        Kind::Service => None,
        Kind::Pod => Some(Selection::by_name(&name)),
        Kind::Job => Some(Selection::by_labels(format!("{JOB_LABEL}={name}"))),
        Kind::CronJob => {
            let labels = object
                .value
                .data
                .pointer("/spec/jobTemplate/spec/template/metadata/labels");
            labels
                .and_then(|labels: &Value| label_selector(&json!({"matchLabels": labels})))
                .map(Selection::by_labels)
        }
        Kind::Deployment | Kind::StatefulSet | Kind::DaemonSet => WorkloadInfo::from_object(kind, &object.value)
            .selector
            .map(Selection::by_labels),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pods_of_the_manifests_and_no_others() {
        let objects = [
            (
                "apps/v1",
                "Deployment",
                json!({"selector": {"matchLabels": {"app": "a"}}}),
            ),
            (
                "apps/v1",
                "StatefulSet",
                json!({"selector": {"matchLabels": {"app": "b"}}}),
            ),
            (
                "apps/v1",
                "DaemonSet",
                json!({"selector": {"matchLabels": {"app": "b"}}}),
            ),
            ("batch/v1", "Job", json!({})),
            (
                "batch/v1",
                "CronJob",
                json!({"jobTemplate": {"spec": {"template": {"metadata": {"labels": {"app": "c"}}}}}}),
            ),
            ("batch/v1", "CronJob", json!({})),
            ("v1", "Pod", json!({})),
            ("v1", "Service", json!({"selector": {"app": "d"}})),
            (
                "example.com/v1",
                "Job",
                json!({"selector": {"matchLabels": {"app": "e"}}}),
            ),
        ];
        let object = |namespace: Option<&str>, (version, kind, spec): &(&str, &str, Value)| Object {
            file: String::new(),
            line: 1,
            value: serde_json::from_value(json!({"apiVersion": version, "kind": kind, "spec": spec,
                "metadata": {"name": "n", "namespace": namespace}}))
            .unwrap(),
        };
        let mut all: Vec<Object> = objects.iter().map(|identity| object(Some("shop"), identity)).collect();
        let elsewhere = (
            "apps/v1",
            "Deployment",
            json!({"selector": {"matchLabels": {"app": "x"}}}),
        );
        all.push(object(Some("other"), &elsewhere));
        all.push(object(None, &objects[0]));
        let expected = [
            Selection::by_labels("app=a".into()),
            Selection::by_labels("app=b".into()),
            Selection::by_labels("batch.kubernetes.io/job-name=n".into()),
            Selection::by_labels("app=c".into()),
            Selection::by_name("n"),
        ];
        assert_eq!(select_pods(&all, "shop"), expected);
        assert_eq!(select_pods(&[], "shop"), []);
    }
}
