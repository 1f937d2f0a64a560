//! Pure: which state of an object a plan was made from.

use kube::api::DynamicObject;
use serde::{Deserialize, Serialize};

use sha2::{Digest, Sha256};

/// A state of an object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Version {
    /// Distinguishes it from another object of the same name.
    pub uid: String,
    /// Changes with everything, an object's status included.
    pub resource_version: String,
    /// A digest of what a plan depends on. A pod that restarts changes its Deployment's status, and no plan for it.
    pub content: String,
}

impl Version {
    /// That of an object of the cluster.
    pub fn from_object(object: &DynamicObject) -> Self {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        Self {
            uid: text(&object.metadata.uid),
            resource_version: text(&object.metadata.resource_version),
            content: content(object),
        }
    }

    /// Whether a plan that was made from one state holds for the other.
    pub fn is_same_content(&self, other: &Self) -> bool {
        (&self.uid, &self.content) == (&other.uid, &other.content)
    }
}

fn content(object: &DynamicObject) -> String {
    // A Secret has no status that changes by itself; and a digest would let short values be guessed.
    if object.types.as_ref().is_some_and(|types| types.kind == "Secret") {
        return object.metadata.resource_version.clone().unwrap_or_default();
    }
    let mut object = object.clone();
    object.metadata.managed_fields = None;
    object.metadata.resource_version = None;
    object.metadata.generation = None;
    if let Some(fields) = object.data.as_object_mut() {
        fields.remove("status");
    }
    let bytes = serde_json::to_vec(&object).unwrap_or_default();
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn version(kind: &str, value: Value) -> Version {
        let mut value = value;
        value["apiVersion"] = json!("v1");
        value["kind"] = json!(kind);
        Version::from_object(&serde_json::from_value(value).unwrap())
    }

    #[test]
    fn a_status_changes_no_plan_and_everything_else_does() {
        let state = |version: &str, replicas: u8, ready: u8, label: &str| {
            json!({"metadata": {"name": "a", "uid": "u", "resourceVersion": version, "labels": {"l": label}},
                "spec": {"replicas": replicas}, "status": {"ready": ready}})
        };
        let first = version("Deployment", state("1", 1, 1, "x"));
        assert!(first.is_same_content(&version("Deployment", state("2", 1, 0, "x"))));
        assert!(!first.is_same_content(&version("Deployment", state("2", 2, 1, "x"))));
        assert!(!first.is_same_content(&version("Deployment", state("2", 1, 1, "y"))));
        let secret = |resource: &str| version("Secret", json!({"metadata": {"uid": "u", "resourceVersion": resource}}));
        assert_eq!(secret("7").content, "7");
        assert!(!secret("7").is_same_content(&secret("8")));
    }
}
