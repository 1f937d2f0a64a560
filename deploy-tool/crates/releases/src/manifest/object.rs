//! Pure: one object of a manifest, and where it was written.

use kube::api::DynamicObject;
use kube::core::GroupVersionKind;
use serde::{Deserialize, Serialize};

use crate::release::Identity;

/// An object and its place.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Object {
    /// The file it stands in.
    pub file: String,
    /// The line it starts at.
    pub line: u64,
    /// The object.
    pub value: DynamicObject,
}

impl Object {
    /// The kind.
    pub fn kind(&self) -> &str {
        self.value.types.as_ref().map_or("", |types| types.kind.as_str())
    }

    /// The name.
    pub fn name(&self) -> &str {
        self.value.metadata.name.as_deref().unwrap_or_default()
    }

    /// The namespace that the manifest states.
    pub fn namespace(&self) -> Option<&str> {
        self.value.metadata.namespace.as_deref()
    }

    /// An annotation's value.
    pub fn annotation(&self, name: &str) -> Option<&str> {
        self.value.metadata.annotations.as_ref()?.get(name).map(String::as_str)
    }

    /// Group, version and kind.
    pub fn group_version_kind(&self) -> GroupVersionKind {
        let types = self.value.types.clone().unwrap_or_default();
        GroupVersionKind::try_from(types).unwrap_or_else(|_| GroupVersionKind::gvk("", "", ""))
    }

    /// Which object it is.
    pub fn identity(&self) -> Identity {
        let GroupVersionKind { group, version, kind } = self.group_version_kind();
        Identity {
            group,
            version,
            kind,
            namespace: self.namespace().map(str::to_owned),
            name: self.name().to_owned(),
        }
    }

    /// For sentences: Deployment `app`.
    pub fn title(&self) -> String {
        format!("{} `{}`", self.kind(), self.name())
    }

    /// For sentences: manifests/app.yaml:3.
    pub fn source_location(&self) -> String {
        format!("{}:{}", self.file, self.line)
    }
}
