//! Pure: which fields of an object are this tool's, by the server's own record of it.
//!
//! The record is a tree: `f:name` a field, `k:{"name":"app"}` an item of a list by its keys, `v:"x"` an item of a set,
//! `.` the item itself; an empty branch stands for all below it.
//! <https://kubernetes.io/docs/reference/using-api/server-side-apply/#field-management>

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ManagedFieldsEntry;
use kube::api::DynamicObject;
use serde_json::{Map, Value};

use crate::FIELD_MANAGER;

/// The record of what this tool has applied to an object.
fn record(object: &DynamicObject) -> Option<&ManagedFieldsEntry> {
    let mut entries = object.metadata.managed_fields.iter().flatten();
    entries.find(|entry| is_ours(entry))
}

/// Whether an entry of the record is what this tool has applied.
pub fn is_ours(entry: &ManagedFieldsEntry) -> bool {
    entry.manager.as_deref() == Some(FIELD_MANAGER)
        && entry.operation.as_deref() == Some("Apply")
        && entry.subresource.as_deref().unwrap_or_default().is_empty()
}

/// The tree of the fields that are ours.
pub fn tree(object: &DynamicObject) -> Option<&Value> {
    record(object)?.fields_v1.as_ref().map(|fields| &fields.0)
}

/// Whether two states of an object give us the same fields, through the same version of the kind.
pub fn same_ownership(left: &DynamicObject, right: &DynamicObject) -> bool {
    let version = |object| record(object).and_then(|entry| entry.api_version.clone());
    tree(left) == tree(right) && version(left) == version(right)
}

/// Whether our fields are recorded through that version of the kind.
pub fn same_version(object: &DynamicObject, version: Option<&str>) -> bool {
    record(object).is_some_and(|entry| entry.api_version.as_deref() == version)
}

/// A branch that stands for all below it.
pub fn is_whole(tree: Option<&Value>) -> bool {
    tree.and_then(Value::as_object).is_some_and(Map::is_empty)
}

/// The names of a tree's branches, the item itself left out.
pub fn branches(tree: Option<&Value>) -> impl Iterator<Item = &str> {
    let branches = tree.and_then(Value::as_object).into_iter().flatten();
    branches.map(|(name, _)| name.as_str()).filter(|name| *name != ".")
}

/// The value behind a branch.
pub fn value<'v>(parent: &'v Value, branch: &str) -> Option<&'v Value> {
    match branch.split_once(':')? {
        ("f", name) => parent.get(name),
        ("i", index) => parent.get(index.parse::<usize>().ok()?),
        _ => parent.as_array()?.iter().find(|item| is_item(item, branch)),
    }
}

/// The value behind a branch, to be changed.
pub fn value_mut<'v>(parent: &'v mut Value, branch: &str) -> Option<&'v mut Value> {
    match branch.split_once(':')? {
        ("f", name) => parent.get_mut(name),
        ("i", index) => parent.get_mut(index.parse::<usize>().ok()?),
        _ => parent.as_array_mut()?.iter_mut().find(|item| is_item(item, branch)),
    }
}

/// Whether an item of a list is that of a branch: by its keys, or by itself.
pub fn is_item(item: &Value, branch: &str) -> bool {
    match branch.split_once(':') {
        Some(("k", keys)) => serde_json::from_str::<Map<String, Value>>(keys)
            .is_ok_and(|keys| keys.iter().all(|(key, value)| item.get(key) == Some(value))),
        Some(("v", wanted)) => serde_json::from_str::<Value>(wanted).is_ok_and(|wanted| wanted == *item),
        _ => false,
    }
}

/// What a branch adds to a path that people read: `.spec`, `[app]`, `[8080/TCP]`.
pub fn label(branch: &str) -> String {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let (sort, name) = branch.split_once(':').unwrap_or_default();
    match (sort, serde_json::from_str::<Value>(name)) {
        ("f", _) => field(name),
        ("k", Ok(Value::Object(keys))) => format!("[{}]", keys.values().map(text).collect::<Vec<_>>().join("/")),
        ("v", Ok(value)) => format!("[{}]", text(&value)),
        _ => format!("[{name}]"),
    }
}

/// What a field adds to a path: names with dots, as annotations have, are quoted.
pub fn field(name: &str) -> String {
    if name.contains(['.', '/', '[']) {
        format!("[\"{name}\"]")
    } else {
        format!(".{name}")
    }
}

/// The part of a value that a tree covers.
pub fn part(value: &Value, tree: Option<&Value>) -> Value {
    if is_whole(tree) {
        return value.clone();
    }
    match value {
        Value::Object(_) => {
            let fields = branches(tree).filter_map(|branch| {
                let inner = self::value(value, branch)?;
                let name = branch.strip_prefix("f:")?;
                Some((name.to_owned(), part(inner, tree?.get(branch))))
            });
            Value::Object(fields.collect())
        }
        Value::Array(items) => {
            let covered = items.iter().filter_map(|item| {
                let branch = branches(tree).find(|branch| self::value(value, branch) == Some(item))?;
                Some(part(item, tree?.get(branch)))
            });
            Value::Array(covered.collect())
        }
        scalar => scalar.clone(),
    }
}
