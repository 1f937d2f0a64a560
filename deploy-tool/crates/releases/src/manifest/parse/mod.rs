//! Pure: from the text of a file to the objects in it, as kubectl reads them, or to everything that is wrong with them.

use serde_json::{Map, Value};

use super::metadata::{self, described, unknown_fields};
use super::object::Object;
use super::problem::{Problem, unusable};
use super::{exported, other_tool, sidecar};
use diagnostics::code::input::{NO_OBJECT, NO_YAML, OTHER_TOOL};
use diagnostics::{Error, Result};
use yaml::{Document, LineIndex, YamlError};

/// The fields of a list of objects.
const LIST: [&str; 4] = ["apiVersion", "items", "kind", "metadata"];

/// Reads the objects of a file.
///
/// # Errors
/// When the text is no YAML, or holds something that is not an object.
pub fn parse(file: &str, text: &str) -> Result<Vec<Object>> {
    let documents = yaml::manifest(text).map_err(|error| no_yaml(file, text, &error))?;
    let mut found = Found::default();
    for Document { line, value } in documents {
        if !value.is_null() {
            found.take(
                file,
                Part {
                    line,
                    pointer: String::new(),
                    value,
                },
            );
        }
    }
    let lines = if found.need_lines() {
        yaml::line_indexes(text)
    } else {
        Vec::new()
    };
    let line_of = |line: u64, pointer: &str| {
        let document = lines.iter().find(|index| index.line == line);
        document.map_or(line, |index: &LineIndex| index.line_of(pointer))
    };
    if !found.problems.is_empty() {
        let problems = found.problems.into_iter();
        let mut problems: Vec<_> = problems
            .map(|(line, problem)| (line_of(line, &problem.pointer), problem))
            .collect();
        problems.sort_by_key(|(line, _)| *line);
        return Err(unusable(file, problems));
    }
    let objects = found.objects.into_iter().map(|part| Object {
        line: line_of(part.line, &part.pointer),
        ..part.value
    });
    Ok(objects.collect())
}

fn no_yaml(file: &str, text: &str, error: &YamlError) -> Error {
    let failure = Error::input(format!("the manifest `{file}` cannot be used"))
        .code(&NO_YAML)
        .cause(error);
    if text.contains("{{") {
        failure
            .code(&OTHER_TOOL)
            .hint("if this is a template of a Helm chart, let Helm fill it in: `helm template NAME CHART --no-hooks | deploy-tool apply -f -`")
    } else {
        failure.hint("correct that line, or the one before it")
    }
}

/// A value, and where it is: below which document, and how deep.
struct Part<V> {
    line: u64,
    pointer: String,
    value: V,
}

#[derive(Default)]
struct Found {
    objects: Vec<Part<Object>>,
    /// With the line of their document.
    problems: Vec<(u64, Problem)>,
}

impl Found {
    /// An object stands for itself, a list of objects for its items.
    fn take(&mut self, file: &str, part: Part<Value>) {
        let Part { line, pointer, value } = part;
        let problems = match value {
            Value::Object(list) if is_list(&list) => return self.take_items(file, line, &pointer, list),
            Value::Object(object) => match read(file, line, object) {
                Ok(value) => return self.objects.push(Part { line, pointer, value }),
                Err(problems) => problems,
            },
            value => vec![Problem::new(
                &NO_OBJECT,
                "",
                format!("{} is where an object should be", described(&value)),
                "separate objects by a line `---`, or put them into the `items` of a `kind: List`",
            )],
        };
        let below = |problem: Problem| Problem {
            pointer: format!("{pointer}{}", problem.pointer),
            ..problem
        };
        self.problems
            .extend(problems.into_iter().map(|problem| (line, below(problem))));
    }

    fn take_items(&mut self, file: &str, line: u64, pointer: &str, mut list: Map<String, Value>) {
        let kind = list.get("kind").and_then(Value::as_str).unwrap_or_default().to_owned();
        let version = list.get("apiVersion").cloned();
        let unknown = unknown_fields(&list, &LIST, pointer, "", &kind);
        self.problems.extend(unknown.into_iter().map(|problem| (line, problem)));
        let pointer = format!("{pointer}/items");
        let items = match list.remove("items") {
            None | Some(Value::Null) => return,
            Some(Value::Array(items)) => items,
            Some(value) => {
                let message = format!("the `items` of {kind} are {}, and have to be a list", described(&value));
                let problem = Problem::new(&NO_OBJECT, pointer, message, "write each object behind a `- `");
                return self.problems.push((line, problem));
            }
        };
        for (index, mut value) in items.into_iter().enumerate() {
            // In a list from the server, the items have no apiVersion and kind.
            if let (Some(of_item), Value::Object(item)) =
                (kind.strip_suffix("List").filter(|kind| !kind.is_empty()), &mut value)
                && !item.contains_key("kind")
            {
                item.insert("kind".to_owned(), of_item.into());
                if let Some(version) = &version {
                    item.entry("apiVersion").or_insert_with(|| version.clone());
                }
            }
            let pointer = format!("{pointer}/{index}");
            self.take(file, Part { line, pointer, value });
        }
    }

    fn need_lines(&self) -> bool {
        !self.problems.is_empty() || self.objects.iter().any(|part| !part.pointer.is_empty())
    }
}

/// One object, or everything that is wrong with it.
fn read(file: &str, line: u64, mut object: Map<String, Value>) -> std::result::Result<Object, Vec<Problem>> {
    if let Some(problem) = other_tool::refuse(file, &object) {
        return Err(vec![problem]);
    }
    let problems = metadata::check(&mut object);
    if !problems.is_empty() {
        return Err(problems);
    }
    exported::strip(&mut object);
    let value = serde_json::from_value(Value::Object(object)).map_err(|error| {
        let message = format!("the object's metadata: {error}");
        vec![Problem::new(&NO_OBJECT, "", message, "correct it")]
    })?;
    let object = Object {
        file: file.to_owned(),
        line,
        value,
    };
    let problems = sidecar::check(&object);
    if problems.is_empty() { Ok(object) } else { Err(problems) }
}

/// A `List`, or one of a kind of its own such as `ConfigMapList`. An object of a kind that is merely called so has a name.
fn is_list(object: &Map<String, Value>) -> bool {
    let kind = object.get("kind").and_then(Value::as_str).unwrap_or_default();
    let has_name = || {
        object
            .get("metadata")
            .is_some_and(|metadata| metadata.get("name").is_some())
    };
    let is_plain = kind == "List" && object.get("apiVersion").is_none_or(|version| version == "v1");
    is_plain || kind.ends_with("List") && !has_name()
}

#[cfg(test)]
mod tests;
