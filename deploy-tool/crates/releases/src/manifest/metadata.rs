//! Pure: validates `metadata` as strictly as the server validates the rest: kube's types would drop unknown fields of it
//! silently.

use serde_json::{Map, Value};
use strsim::levenshtein;

use super::problem::Problem;
use diagnostics::code::input::{NO_OBJECT, UNKNOWN_FIELD};

/// <https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/object-meta/>
const METADATA: [&str; 15] = [
    "annotations",
    "creationTimestamp",
    "deletionGracePeriodSeconds",
    "deletionTimestamp",
    "finalizers",
    "generateName",
    "generation",
    "labels",
    "managedFields",
    "name",
    "namespace",
    "ownerReferences",
    "resourceVersion",
    "selfLink",
    "uid",
];
const OWNER: [&str; 6] = ["apiVersion", "blockOwnerDeletion", "controller", "kind", "name", "uid"];
const QUOTE: &str = "put it in quotes: YAML takes n, no, off, y, yes and on for true or false, and digits for a number";

/// Brings an object's description of itself into the form that it has to have. Fields without a value are as if they were
/// not there, as for kubectl.
pub fn check(object: &mut Map<String, Value>) -> Vec<Problem> {
    let mut problems = Vec::new();
    for field in ["apiVersion", "kind"] {
        problems.extend(text(object.get(field), &format!("/{field}"), field));
    }
    let title = title(object);
    let metadata = object.entry("metadata").or_insert(Value::Null);
    if metadata.is_null() {
        *metadata = Value::Object(Map::new());
    }
    let Value::Object(metadata) = metadata else {
        problems.push(Problem::new(
            &NO_OBJECT,
            "/metadata",
            format!(
                "the `metadata` of {title} is {}, and has to be a map",
                described(metadata)
            ),
            "write `metadata:` with `name:` below it",
        ));
        return problems;
    };
    problems.extend(unknown_fields(metadata, &METADATA, "/metadata", "metadata.", &title));
    metadata.retain(|_, value| !value.is_null());
    if metadata.get("namespace").is_some_and(|namespace| namespace == "") {
        metadata.remove("namespace");
    }
    problems.extend(name(metadata));
    if metadata.contains_key("namespace") {
        problems.extend(text(
            metadata.get("namespace"),
            "/metadata/namespace",
            "metadata.namespace",
        ));
    }
    for field in ["name", "namespace"] {
        problems.extend(path_segment(metadata.get(field), field, &title));
    }
    for field in ["labels", "annotations"] {
        problems.extend(map_of_text(metadata.get(field), field));
    }
    problems.extend(lists(metadata, &title));
    problems
}

/// Fields that there are not, each with the nearest that there is.
pub fn unknown_fields(
    map: &Map<String, Value>,
    known: &[&str],
    pointer: &str,
    prefix: &str,
    title: &str,
) -> Vec<Problem> {
    let unknown = map.keys().filter(|field| !known.contains(&field.as_str()));
    unknown
        .map(|field| {
            let near = known
                .iter()
                .map(|known| (levenshtein(field, known), known))
                .filter(|(letters, _)| *letters <= field.len() / 3 + 1)
                .min();
            let message = format!("{title} has a field that there is not: `{prefix}{field}`");
            let message = match near {
                Some((_, near)) => format!("{message}; did you mean `{prefix}{near}`?"),
                None => message,
            };
            let step = field.replace('~', "~0").replace('/', "~1");
            Problem::new(
                &UNKNOWN_FIELD,
                format!("{pointer}/{step}"),
                message,
                "correct the field, leave it out, or move it to where it belongs",
            )
        })
        .collect()
}

/// For sentences, as far as it is known: Deployment `app`.
fn title(object: &Map<String, Value>) -> String {
    let kind = object.get("kind").and_then(Value::as_str).unwrap_or("the object");
    let name = object.get("metadata").and_then(|metadata| metadata.get("name"));
    match name.and_then(Value::as_str) {
        Some(name) => format!("{kind} `{name}`"),
        None => kind.to_owned(),
    }
}

fn name(metadata: &Map<String, Value>) -> Option<Problem> {
    let prefix = metadata.get("generateName").filter(|_| !metadata.contains_key("name"));
    let Some(prefix) = prefix else {
        return text(metadata.get("name"), "/metadata/name", "metadata.name");
    };
    Some(Problem::new(
        &NO_OBJECT,
        "/metadata/generateName",
        format!(
            "the object has no `metadata.name`, only `generateName: {}`",
            prefix.as_str().unwrap_or_default()
        ),
        "give it a `metadata.name`: what has another name in each run is not applied but created each time, for which there is `kubectl create -f FILE`",
    ))
}

/// A name is a part of the object's address, whatever its kind allows besides.
/// <https://kubernetes.io/docs/concepts/overview/working-with-objects/names/#path-segment-names>
fn path_segment(value: Option<&Value>, field: &str, title: &str) -> Option<Problem> {
    let name = value?.as_str()?;
    let is_wrong = |letter: char| matches!(letter, '/' | '%') || letter.is_control();
    (matches!(name, "." | "..") || name.contains(is_wrong)).then(|| {
        Problem::new(
            &NO_OBJECT,
            format!("/metadata/{field}"),
            format!("the `metadata.{field}` of {title} is `{}`, which is not a valid name", name.escape_debug()),
            "a name is neither `.` nor `..` and has no `/`, no `%` and no control characters; most kinds take small letters, \
             digits and `-` alone",
        )
    })
}

fn text(value: Option<&Value>, pointer: &str, field: &str) -> Option<Problem> {
    match value {
        Some(Value::String(text)) if !text.is_empty() => None,
        None | Some(Value::Null | Value::String(_)) => Some(Problem::new(
            &NO_OBJECT,
            pointer,
            format!("the object has no `{field}`"),
            "add what is missing: every object has `apiVersion`, `kind` and `metadata.name`",
        )),
        Some(value) => Some(Problem::new(
            &NO_OBJECT,
            pointer,
            format!("`{field}` is {}, and has to be text", described(value)),
            QUOTE,
        )),
    }
}

fn map_of_text(value: Option<&Value>, field: &str) -> Vec<Problem> {
    let pointer = format!("/metadata/{field}");
    let entries = match value {
        None => return Vec::new(),
        Some(Value::Object(entries)) => entries,
        Some(value) => {
            let message = format!("`metadata.{field}` is {}, and has to be a map", described(value));
            return vec![Problem::new(
                &NO_OBJECT,
                pointer,
                message,
                format!("write `{field}:` with `name: value` below it"),
            )];
        }
    };
    let wrong = entries.iter().filter(|(_, value)| !value.is_string());
    wrong
        .map(|(name, value)| {
            let step = name.replace('~', "~0").replace('/', "~1");
            let message = format!(
                "`{name}` of `metadata.{field}` is {}, and has to be text",
                described(value)
            );
            Problem::new(&NO_OBJECT, format!("{pointer}/{step}"), message, QUOTE)
        })
        .collect()
}

/// Finalizers and owners.
fn lists(metadata: &Map<String, Value>, title: &str) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (field, wanted) in [("finalizers", "text"), ("ownerReferences", "a map")] {
        let pointer = format!("/metadata/{field}");
        let items = match metadata.get(field) {
            None => continue,
            Some(Value::Array(items)) => items,
            Some(value) => {
                let message = format!("`metadata.{field}` is {}, and has to be a list", described(value));
                problems.push(Problem::new(
                    &NO_OBJECT,
                    pointer,
                    message,
                    "write each of its items behind a `- `",
                ));
                continue;
            }
        };
        for (index, item) in items.iter().enumerate() {
            let pointer = format!("{pointer}/{index}");
            match (field, item) {
                ("finalizers", Value::String(_)) => {}
                ("ownerReferences", Value::Object(owner)) => {
                    problems.extend(unknown_fields(
                        owner,
                        &OWNER,
                        &pointer,
                        "metadata.ownerReferences.",
                        title,
                    ));
                }
                (_, value) => {
                    let message = format!(
                        "an item of `metadata.{field}` is {}, and has to be {wanted}",
                        described(value)
                    );
                    problems.push(Problem::new(&NO_OBJECT, pointer, message, QUOTE));
                }
            }
        }
    }
    problems
}

/// For sentences: the value `false`.
pub fn described(value: &Value) -> String {
    match value {
        Value::Null => "empty".to_owned(),
        Value::Bool(value) => format!("the value {value}"),
        Value::Number(number) => format!("the number {number}"),
        Value::String(_) => "text".to_owned(),
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "a map".to_owned(),
    }
}
