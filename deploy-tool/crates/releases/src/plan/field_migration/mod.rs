//! Pure: migrates the fields of other manifest tools, such as Helm, to this field manager.
//!
//! Server-side apply removes a field that is no longer in the manifest only if no other manager owns it. `kubectl apply`
//! and Helm stay owners of the fields of objects that they created: without a migration, removed fields would stay.
//! kubectl migrates its own managedFields in the same way when it changes to server-side apply.
//! <https://kubernetes.io/docs/reference/using-api/server-side-apply/#migration-between-client-side-and-server-side-apply>

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{FieldsV1, ManagedFieldsEntry};
use kube::api::DynamicObject;
use serde_json::{Map, Value};

use crate::FIELD_MANAGER;
use crate::manifest::Object;
use crate::plan::difference::{Difference, VisibleValue, mask_secret};
use crate::plan::managed_fields::{self, branches, is_whole, label, tree};

/// What `kubectl apply` is called in the record.
const KUBECTL_APPLY: &str = "kubectl-client-side-apply";
/// The field managers that only set fields of a manifest: `kubectl apply`, `create` and `replace`, and Helm.
const MANIFEST_TOOLS: [&str; 5] = [KUBECTL_APPLY, "kubectl-create", "kubectl-replace", "kubectl", "helm"];
/// The annotation with the manifest of `kubectl apply`. No other tool uses it, and for a Secret it contains the values.
const LAST_APPLIED: &str = "f:kubectl.kubernetes.io/last-applied-configuration";

/// Where a field is: the branches of the record that lead to it.
pub type FieldPath = Vec<String>;

/// Whose fields become this tool's when the object is applied: those of `kubectl apply` when the object is applied for the
/// first time, those of every tool with manifests when they are to be taken over.
pub fn migrated_managers(object: &Object, live: &DynamicObject, take_over: bool) -> Vec<String> {
    let is_first = managed_fields::tree(live).is_none();
    let version = object.value.types.as_ref().map(|types| types.api_version.as_str());
    let is_migrated = |entry: &&ManagedFieldsEntry| {
        // Records of two versions of a kind cannot be united.
        let is_same_version = entry.api_version.as_deref() == version;
        is_same_version && (take_over || is_first && entry.manager.as_deref() == Some(KUBECTL_APPLY))
    };
    let mut managers = manager_names(manifest_entries(live).filter(is_migrated));
    managers.dedup();
    managers
}

/// The other tools with manifests that have set fields of an object.
pub fn remaining_managers(live: &DynamicObject, migrated: &[String]) -> Vec<String> {
    let mut managers = manager_names(manifest_entries(live));
    managers.retain(|manager| !migrated.contains(manager));
    managers.dedup();
    managers
}

fn manager_names<'e>(entries: impl Iterator<Item = &'e ManagedFieldsEntry>) -> Vec<String> {
    entries.filter_map(|entry| entry.manager.clone()).collect()
}

fn manifest_entries(object: &DynamicObject) -> impl Iterator<Item = &ManagedFieldsEntry> {
    let entries = object.metadata.managed_fields.iter().flatten();
    entries.filter(|entry| is_manifest_entry(entry))
}

fn is_manifest_entry(entry: &ManagedFieldsEntry) -> bool {
    let manager = entry.manager.as_deref().unwrap_or_default();
    entry.subresource.as_deref().unwrap_or_default().is_empty() && MANIFEST_TOOLS.contains(&manager)
}

/// The fields that some managers own, and neither the manifest nor any other manager except `ignored`. `after` is the result
/// of a dry run.
pub fn leftover_fields(after: &DynamicObject, managers: &[String], ignored: &[String]) -> Vec<FieldPath> {
    let migrated = manifest_entries(after).filter(|entry| is_of(entry, managers));
    let migrated = migrated.filter_map(|entry| Some(entry.fields_v1.as_ref()?.0.clone()));
    let Some(migrated) = migrated.reduce(unite_trees) else {
        return Vec::new();
    };
    let entries = after.metadata.managed_fields.iter().flatten();
    let others = entries.filter(|entry| !is_manifest_entry(entry) || !is_of(entry, managers) && !is_of(entry, ignored));
    let others: Vec<&Value> = others.filter_map(|entry| Some(&entry.fields_v1.as_ref()?.0)).collect();
    let mut found = Vec::new();
    collect_leftover(&mut Vec::new(), &migrated, &others, &mut found);
    found
}

fn is_of(entry: &ManagedFieldsEntry, managers: &[String]) -> bool {
    let manager = entry.manager.as_deref().unwrap_or_default();
    managers.iter().any(|name| name == manager)
}

fn collect_leftover(path: &mut FieldPath, migrated: &Value, others: &[&Value], found: &mut Vec<FieldPath>) {
    for branch in branches(Some(migrated)) {
        let inner = migrated.get(branch);
        path.push(branch.to_owned());
        let shared: Vec<&Value> = others.iter().filter_map(|tree| tree.get(branch)).collect();
        // Whether the field itself is owned, and not only fields in it.
        let is_member = is_whole(inner) || inner.is_some_and(|inner| inner.get(".").is_some());
        match inner {
            Some(inner) if !is_member || !shared.is_empty() => {
                if !shared.iter().any(|tree| is_whole(Some(tree))) {
                    collect_leftover(path, inner, &shared, found);
                }
            }
            _ => found.push(path.clone()),
        }
        path.pop();
    }
}

/// A merge patch that takes fields out of an object, as a dry run shows what the server then puts in their place: many of
/// them are its defaults. <https://www.rfc-editor.org/rfc/rfc7396>
pub fn removal_patch(live: &DynamicObject, after: &DynamicObject, fields: &[FieldPath]) -> Value {
    let mut wanted = serde_json::to_value(after).unwrap_or_default();
    for path in fields {
        remove_field(&mut wanted, path);
    }
    let mut patch = merge_patch(&serde_json::to_value(live).unwrap_or_default(), &wanted);
    let Some(fields) = patch.as_object_mut() else {
        return Value::Object(Map::new());
    };
    fields.retain(|name, _| !matches!(name.as_str(), "apiVersion" | "kind" | "status"));
    if let Some(metadata) = fields.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.retain(|name, _| {
            matches!(
                name.as_str(),
                "labels" | "annotations" | "finalizers" | "ownerReferences"
            )
        });
    }
    patch
}

fn remove_field(value: &mut Value, path: &[String]) {
    let [branch, rest @ ..] = path else { return };
    if !rest.is_empty() {
        if let Some(inner) = managed_fields::value_mut(value, branch) {
            remove_field(inner, rest);
        }
        return;
    }
    match (value, branch.strip_prefix("f:")) {
        (Value::Object(fields), Some(name)) => _ = fields.remove(name),
        (Value::Array(items), None) => items.retain(|item| !managed_fields::is_item(item, branch)),
        _ => {}
    }
}

fn merge_patch(before: &Value, after: &Value) -> Value {
    let (Value::Object(old), Value::Object(new)) = (before, after) else {
        return after.clone();
    };
    let mut patch = Map::new();
    for name in old.keys().filter(|name| !new.contains_key(*name)) {
        patch.insert(name.clone(), Value::Null);
    }
    for (name, value) in new {
        match old.get(name) {
            Some(same) if same == value => {}
            Some(known) => _ = patch.insert(name.clone(), merge_patch(known, value)),
            None => _ = patch.insert(name.clone(), value.clone()),
        }
    }
    Value::Object(patch)
}

/// How an object changes when fields are taken out of it: `trial` is what a dry run of [`removal_patch`] gives.
pub fn removal_differences(live: &DynamicObject, trial: &DynamicObject, fields: &[FieldPath]) -> Vec<Difference> {
    let before = serde_json::to_value(live).unwrap_or_default();
    let after = serde_json::to_value(trial).unwrap_or_default();
    let fields = fields
        .iter()
        .filter(|path| !path.iter().any(|branch| branch == LAST_APPLIED));
    let differences = fields.filter_map(|path| {
        let shown = |value: &Value| find_value(value, path).cloned().and_then(without_last_applied);
        let (old, new) = (shown(&before), shown(&after));
        (old != new && old.is_some()).then(|| Difference {
            path: display_path(path),
            before: old.map(VisibleValue::Value),
            after: new.map(VisibleValue::Value),
        })
    });
    differences.map(|difference| mask_secret(difference, live)).collect()
}

/// Of all annotations together, those that are to be seen.
fn without_last_applied(mut value: Value) -> Option<Value> {
    let name = LAST_APPLIED.trim_start_matches("f:");
    let is_gone = value.as_object_mut().and_then(|fields| fields.remove(name)).is_some();
    (!is_gone || value.as_object().is_some_and(|fields| !fields.is_empty())).then_some(value)
}

fn find_value<'v>(value: &'v Value, path: &[String]) -> Option<&'v Value> {
    path.iter()
        .try_fold(value, |value, branch| managed_fields::value(value, branch))
}

/// A path for display: `spec.template.spec.containers[app].env[A]`.
pub fn display_path(path: &[String]) -> String {
    let labels: String = path.iter().map(|branch| label(branch)).collect();
    labels.trim_start_matches('.').to_owned()
}

/// The managedFields of an object after the migration of some managers' fields; none when they own none.
pub fn migrated_entries(object: &DynamicObject, managers: &[String]) -> Option<Vec<ManagedFieldsEntry>> {
    let entries = object.metadata.managed_fields.iter().flatten().cloned();
    let (migrated, mut others): (Vec<_>, Vec<_>) =
        entries.partition(|entry| is_manifest_entry(entry) && is_of(entry, managers));
    let first = migrated.first()?.clone();
    let fields = migrated.into_iter().filter_map(|entry| Some(entry.fields_v1?.0));
    let fields = fields.chain(tree(object).cloned()).reduce(unite_trees)?;
    let own_entry = others
        .iter_mut()
        .find(|entry| managed_fields::is_ours(entry))
        .map(|entry| entry.fields_v1 = Some(FieldsV1(fields.clone())));
    if own_entry.is_none() {
        others.push(ManagedFieldsEntry {
            manager: Some(FIELD_MANAGER.to_owned()),
            operation: Some("Apply".to_owned()),
            fields_v1: Some(FieldsV1(fields)),
            ..first
        });
    }
    Some(others)
}

/// The union of two trees of managedFields. An empty branch is the field itself, which is `.` beside other branches.
fn unite_trees(left: Value, right: Value) -> Value {
    let (Value::Object(mut left), Value::Object(right)) = (left, right) else {
        return Value::Object(Map::new());
    };
    if left.is_empty() != right.is_empty() {
        left.insert(".".to_owned(), Value::Object(Map::new()));
    }
    for (branch, inner) in right {
        let inner = match left.remove(&branch) {
            Some(known) => unite_trees(known, inner),
            None => inner,
        };
        left.insert(branch, inner);
    }
    Value::Object(left)
}

#[cfg(test)]
mod tests;
