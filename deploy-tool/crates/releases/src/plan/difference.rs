//! Pure: compares the fields of this field manager between the live object and the result of a dry run.
//!
//! A field counts when this manager owns it in one of the two, by `metadata.managedFields` ([`super::managed_fields`]): the manifest
//! sets it, or did so before. Defaults of the server and fields of controllers and other managers are left out that way
//! for every kind, without a list of such fields.

use std::collections::BTreeSet;

use kube::api::DynamicObject;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::managed_fields::{self, branches, is_whole, label, part};

/// A field that differs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Difference {
    /// Its path: `spec.template.spec.containers[app].image`.
    pub path: String,
    /// The live value; none for a new field.
    pub before: Option<VisibleValue>,
    /// The value after the apply; none for a removed field.
    pub after: Option<VisibleValue>,
}

/// A value that may be shown.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum VisibleValue {
    /// The value itself.
    Value(Value),
    /// A value of a Secret: only its length.
    Secret {
        /// Bytes of the value.
        bytes: usize,
    },
    /// Generated in the cluster by `deploy-tool.dev/generate`.
    Generated,
}

/// The differences of the fields of this manager. `generated` are the keys of a Secret whose values are generated.
pub fn differences(live: &DynamicObject, after: &DynamicObject, generated: &[&str]) -> Vec<Difference> {
    let before_value = serde_json::to_value(live).unwrap_or_default();
    let after_value = serde_json::to_value(after).unwrap_or_default();
    let mut found = Vec::new();
    compare(
        "",
        Side(Some(&before_value), managed_fields::tree(live)),
        Side(Some(&after_value), managed_fields::tree(after)),
        &mut found,
    );
    if is_secret(after) {
        found = found
            .into_iter()
            .map(|difference| mask_values(difference, generated))
            .collect();
    }
    found
}

/// Masks a difference, if the object is a Secret.
pub fn mask_secret(difference: Difference, object: &DynamicObject) -> Difference {
    if is_secret(object) {
        mask_values(difference, &[])
    } else {
        difference
    }
}

fn is_secret(object: &DynamicObject) -> bool {
    object.types.as_ref().is_some_and(|types| types.kind == "Secret")
}

/// A value, and the tree of its fields that this manager owns.
#[derive(Clone, Copy)]
struct Side<'a>(Option<&'a Value>, Option<&'a Value>);

impl<'a> Side<'a> {
    fn child(self, branch: &str) -> Side<'a> {
        Side(
            self.0.and_then(|value| managed_fields::value(value, branch)),
            self.1.and_then(|tree| tree.get(branch)),
        )
    }

    fn visible_value(self) -> Option<VisibleValue> {
        Some(VisibleValue::Value(part(self.0?, self.1)))
    }
}

fn compare(path: &str, before: Side<'_>, after: Side<'_>, found: &mut Vec<Difference>) {
    if before.0 == after.0 {
        return;
    }
    // An added or removed map with a single field is shown by the path of that field.
    let only = match (before.0, after.0) {
        (None, Some(_)) => only_field(after.1),
        (Some(_), None) => only_field(before.1),
        _ => None,
    };
    if let Some(only) = only {
        return compare(&child_path(path, only), before.child(only), after.child(only), found);
    }
    match (before.0, after.0) {
        (Some(old), Some(new)) if is_whole(before.1) || is_whole(after.1) => compare_whole(path, old, new, found),
        (Some(_), Some(_)) => {
            let all: BTreeSet<&str> = branches(before.1).chain(branches(after.1)).collect();
            for branch in all {
                let path = format!("{path}{}", label(branch));
                compare(
                    path.trim_start_matches('.'),
                    before.child(branch),
                    after.child(branch),
                    found,
                );
            }
        }
        // Added or removed: it counts only if this manager owns it.
        (None, _) if after.1.is_some() => found.push(Difference::new(path, None, after.visible_value())),
        (_, None) if before.1.is_some() => found.push(Difference::new(path, before.visible_value(), None)),
        _ => {}
    }
}

fn child_path(path: &str, branch: &str) -> String {
    format!("{path}{}", label(branch)).trim_start_matches('.').to_owned()
}

/// The only branch of a tree, if it is a field and not an item of a list.
fn only_field(tree: Option<&Value>) -> Option<&str> {
    let mut branches = branches(tree);
    let only = branches.next().filter(|branch| branch.starts_with("f:"))?;
    branches.next().is_none().then_some(only)
}

/// Compares values that this manager owns as a whole.
fn compare_whole(path: &str, before: &Value, after: &Value, found: &mut Vec<Difference>) {
    let shown = |value: Option<&Value>| value.cloned().map(VisibleValue::Value);
    match (before, after) {
        (Value::Object(before), Value::Object(after)) => {
            let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
            for name in names {
                let path = format!("{path}{}", managed_fields::field(name));
                match (before.get(name), after.get(name)) {
                    (Some(before), Some(after)) if before == after => {}
                    (Some(before), Some(after)) => compare_whole(&path, before, after, found),
                    (before, after) => found.push(Difference::new(&path, shown(before), shown(after))),
                }
            }
        }
        (Value::Array(before), Value::Array(after)) if before.len() == after.len() => {
            for (index, (before, after)) in before
                .iter()
                .zip(after)
                .enumerate()
                .filter(|(_, (before, after))| before != after)
            {
                compare_whole(&format!("{path}[{index}]"), before, after, found);
            }
        }
        _ => found.push(Difference::new(path, shown(Some(before)), shown(Some(after)))),
    }
}

/// Replaces the values of a Secret by their lengths.
fn mask_values(difference: Difference, generated: &[&str]) -> Difference {
    let Some(key) = difference.path.strip_prefix("data") else {
        return difference;
    };
    let is_generated = generated.iter().any(|name| managed_fields::field(name) == key);
    let mask = |shown: Option<VisibleValue>, is_after: bool| {
        shown.map(|shown| match shown {
            VisibleValue::Value(_) if is_generated && is_after => VisibleValue::Generated,
            VisibleValue::Value(value) => VisibleValue::Secret {
                bytes: decoded_length(&value),
            },
            masked => masked,
        })
    };
    Difference {
        before: mask(difference.before, false),
        after: mask(difference.after, true),
        path: difference.path,
    }
}

/// The decoded length of base64 text; of a map, the sum.
fn decoded_length(value: &Value) -> usize {
    match value {
        Value::String(text) => text.trim_end_matches('=').len() * 3 / 4,
        Value::Object(fields) => fields.values().map(decoded_length).sum(),
        _ => 0,
    }
}

impl Difference {
    fn new(path: &str, before: Option<VisibleValue>, after: Option<VisibleValue>) -> Self {
        Self {
            path: path.to_owned(),
            before,
            after,
        }
    }
}
