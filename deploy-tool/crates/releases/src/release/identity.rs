//! The identity of an object: group, kind, namespace and name.

use std::fmt;

use kube::core::GroupVersionKind;
use serde::{Deserialize, Serialize};

/// An object of a cluster. Two are the same when all but the version are.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Identity {
    /// The API group; empty for the core group.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub group: String,
    /// The version through which it was applied.
    pub version: String,
    /// The kind.
    pub kind: String,
    /// The namespace; none for objects of the whole cluster.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// The name.
    pub name: String,
}

impl Identity {
    /// Group, version and kind.
    pub fn group_version_kind(&self) -> GroupVersionKind {
        GroupVersionKind::gvk(&self.group, &self.version, &self.kind)
    }

    /// For sentences: Deployment `app`.
    pub fn title(&self) -> String {
        format!("{} `{}`", self.kind, self.name)
    }

    fn key(&self) -> (&str, &str, Option<&str>, &str) {
        (&self.group, &self.kind, self.namespace.as_deref(), &self.name)
    }
}

impl PartialEq for Identity {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for Identity {}

impl std::hash::Hash for Identity {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.key().hash(state);
    }
}

impl PartialOrd for Identity {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Identity {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.key().cmp(&other.key())
    }
}

/// As people write it: `deployment.apps/app in orders`.
impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.kind.to_ascii_lowercase())?;
        if !self.group.is_empty() {
            write!(f, ".{}", self.group)?;
        }
        write!(f, "/{}", self.name)?;
        match &self.namespace {
            Some(namespace) => write!(f, " in {namespace}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_version_is_the_same_object() {
        let identity = |version: &str, namespace: Option<&str>| Identity {
            group: "apps".into(),
            version: version.into(),
            kind: "Deployment".into(),
            namespace: namespace.map(str::to_owned),
            name: "app".into(),
        };
        assert_eq!(identity("v1", Some("orders")), identity("v2", Some("orders")));
        assert_ne!(identity("v1", Some("orders")), identity("v1", None));
        assert_eq!(
            identity("v1", Some("orders")).to_string(),
            "deployment.apps/app in orders"
        );
    }
}
