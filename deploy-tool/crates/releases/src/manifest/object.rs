//! Pure: one object of a manifest, and where it was written.

use kube::api::DynamicObject;
use kube::core::GroupVersionKind;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::release::Identity;
use yaml::{self, Document, YamlError};

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

/// A manifest that cannot be used.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ObjectError {
    /// No YAML.
    #[error("{0}")]
    Yaml(#[from] YamlError),
    /// YAML, but no object.
    #[error("line {line}: the object has no `{field}`")]
    Missing {
        /// Where the object starts.
        line: u64,
        /// What it lacks.
        field: &'static str,
    },
    /// An object whose metadata is of another form.
    #[error("line {line}: {message}")]
    Form {
        /// Where the object starts.
        line: u64,
        /// What is wrong.
        message: String,
    },
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
    pub fn place(&self) -> String {
        format!("{}:{}", self.file, self.line)
    }

    /// The RuntimeClass of its pod template.
    pub fn runtime_class(&self) -> Option<&str> {
        self.value
            .data
            .pointer("/spec/template/spec/runtimeClassName")?
            .as_str()
    }

    /// The containers of its pod template, init containers included.
    pub fn containers(&self) -> impl Iterator<Item = &Value> {
        let pod = self.value.data.pointer("/spec/template/spec");
        ["initContainers", "containers"]
            .into_iter()
            .filter_map(move |field| pod?.get(field)?.as_array())
            .flatten()
    }

    /// The images of its containers.
    pub fn images(&self) -> impl Iterator<Item = &str> {
        self.containers()
            .filter_map(|container| container.get("image")?.as_str())
    }

    /// Its containers, to be changed.
    pub fn containers_mut(&mut self) -> Vec<&mut Value> {
        let pod = self
            .value
            .data
            .pointer_mut("/spec/template/spec")
            .and_then(Value::as_object_mut);
        pod.into_iter()
            .flat_map(|pod| pod.iter_mut())
            .filter(|(field, _)| *field == "initContainers" || *field == "containers")
            .filter_map(|(_, list)| list.as_array_mut())
            .flatten()
            .collect()
    }
}

/// Reads the objects of a file.
///
/// # Errors
/// When the text is no YAML, or holds something that is no object.
pub fn parse(file: &str, text: &str) -> Result<Vec<Object>, ObjectError> {
    let documents: Vec<Document<Value>> = yaml::documents(text)?;
    let documents = documents.into_iter().filter(|document| !document.value.is_null());
    documents
        .flat_map(items)
        .map(|document| object(file, document))
        .collect()
}

/// A `List`, as kubectl prints it, stands for its items.
fn items(document: Document<Value>) -> Vec<Document<Value>> {
    let is_list = document.value.get("kind").is_some_and(|kind| kind == "List");
    match document.value.get("items").and_then(Value::as_array) {
        Some(items) if is_list => {
            let line = document.line;
            items
                .iter()
                .map(|value| Document {
                    line,
                    value: value.clone(),
                })
                .collect()
        }
        _ => vec![document],
    }
}

fn object(file: &str, Document { line, value }: Document<Value>) -> Result<Object, ObjectError> {
    let has = |pointer: &str| {
        value
            .pointer(pointer)
            .and_then(Value::as_str)
            .is_some_and(|text| !text.is_empty())
    };
    for (pointer, field) in [
        ("/apiVersion", "apiVersion"),
        ("/kind", "kind"),
        ("/metadata/name", "metadata.name"),
    ] {
        if !has(pointer) {
            return Err(ObjectError::Missing { line, field });
        }
    }
    let value = serde_json::from_value(value).map_err(|error| ObjectError::Form {
        line,
        message: format!("the object's metadata: {error}"),
    })?;
    Ok(Object {
        file: file.to_owned(),
        line,
        value,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_where_each_object_stands() {
        let text = "# two\napiVersion: v1\nkind: Namespace\nmetadata: {name: a}\n---\n---\napiVersion: v1\nkind: Service\nmetadata:\n  name: b\n";
        let objects = parse("x.yaml", text).unwrap();
        let places: Vec<_> = objects.iter().map(|object| (object.title(), object.place())).collect();
        assert_eq!(
            places,
            [
                ("Namespace `a`".into(), "x.yaml:2".into()),
                ("Service `b`".into(), "x.yaml:7".to_owned())
            ]
        );
    }

    #[test]
    fn says_what_is_wrong_and_where() {
        let cases = [
            ("a: b\n", "line 1: the object has no `apiVersion`"),
            (
                "\n\napiVersion: v1\nmetadata: {name: a}\n",
                "line 3: the object has no `kind`",
            ),
            (
                "apiVersion: v1\nkind: Pod\nmetadata: {}\n",
                "line 1: the object has no `metadata.name`",
            ),
            (
                "apiVersion: v1\nkind: Pod\nmetadata: {name: a, labels: [1]}\n",
                "line 1: the object's metadata",
            ),
            ("- a\n", "line 1: the object has no `apiVersion`"),
            ("apiVersion: v1\nkind: [\n", "line "),
        ];
        for (text, expected) in cases {
            let error = parse("x.yaml", text).unwrap_err().to_string();
            assert!(error.contains(expected), "{text:?}: {error}");
        }
    }
}
