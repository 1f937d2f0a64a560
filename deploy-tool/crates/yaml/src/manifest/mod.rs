//! Manifests as kubectl reads them, where a YAML reader of its own would take them otherwise:
//!
//! - a stream of JSON objects needs no `---`,
//! - a whole number is one however it is written: `1.0`, `1e3`,
//! - `<<` counts where it stands: what it sets after a field of the same name is refused, since kubectl and the YAML
//!   specification disagree,
//! - a name that YAML takes for another value (`on:`, `1.10:`) is refused: kubectl would call it `true`, `1.1`.
//!
//! <https://pkg.go.dev/sigs.k8s.io/yaml>

use std::collections::BTreeSet;
use std::fmt;

use serde::Deserialize;
use serde::de::{self, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};
use serde_saphyr::options::MergeKeyPolicy;
use serde_saphyr::{Location, Spanned};

use crate::{Document, LineIndex, YamlError, describe, line_index, options};

/// Reads the objects of a manifest, each with its line; empty documents are left out.
///
/// # Errors
/// When the text is no YAML, or would be taken otherwise than it is meant.
pub fn manifest(text: &str) -> Result<Vec<Document<Value>>, YamlError> {
    let mut found = Vec::new();
    for (lines, part) in parts(text) {
        let below = |error: YamlError| YamlError {
            line: error.line + lines,
            ..error
        };
        let mut options = options();
        options.merge_keys = MergeKeyPolicy::AsOrdinary;
        let documents: Vec<Spanned<Tree>> =
            serde_saphyr::from_multiple_with_options(part, options).map_err(|error| below(describe(&error)))?;
        for document in documents {
            let line = document.referenced.line() + lines;
            let Tree {
                value,
                mut problems,
                names,
            } = document.value;
            problems.extend(names.iter().filter_map(|name| name.misread(part)));
            if let Some(first) = problems
                .into_iter()
                .min_by_key(|problem| (problem.line, problem.column))
            {
                return Err(below(first));
            }
            found.push(Document { line, value });
        }
    }
    Ok(found)
}

/// The lines of all documents of a manifest. Of one that cannot be read there are none.
pub fn line_indexes(text: &str) -> Vec<LineIndex> {
    let of_part = |(lines, part)| {
        let mut line_indexes = line_index::line_indexes(part);
        line_indexes.iter_mut().for_each(|index| index.move_down(lines));
        line_indexes
    };
    parts(text).into_iter().flat_map(of_part).collect()
}

/// JSON objects that follow each other are documents of their own, each with the number of lines before it.
fn parts(text: &str) -> Vec<(u64, &str)> {
    let whole = || vec![(0, text)];
    if !text.trim_start().starts_with('{') {
        return whole();
    }
    let mut parts = Vec::new();
    let mut objects = serde_json::Deserializer::from_str(text).into_iter::<IgnoredAny>();
    let (mut begin, mut lines) = (0, 0);
    while let Some(object) = objects.next() {
        // What is no JSON may be YAML.
        let (Ok(_), Some(part)) = (object, text.get(begin..objects.byte_offset())) else {
            return whole();
        };
        parts.push((lines, part));
        begin = objects.byte_offset();
        lines += part.matches('\n').count() as u64;
    }
    parts
}

/// A value, and what cannot be judged while it is read.
struct Tree {
    value: Value,
    problems: Vec<YamlError>,
    names: Vec<Name>,
}

/// The name of a field that is no text by itself.
struct Name {
    text: String,
    location: Location,
}

impl Name {
    fn misread(&self, source: &str) -> Option<YamlError> {
        let begin = usize::try_from(self.location.span().byte_offset()?).ok()?;
        let length = usize::try_from(self.location.span().byte_len()?).ok()?;
        let written = source.get(begin..begin + length)?;
        let message = format!(
            "the name `{written}` is the value {} for YAML: put it in quotes",
            self.text
        );
        (written != self.text).then(|| problem(self.location, message))
    }
}

fn problem(location: Location, message: String) -> YamlError {
    YamlError {
        line: location.line(),
        column: location.column(),
        message,
    }
}

impl From<Value> for Tree {
    fn from(value: Value) -> Self {
        Self {
            value,
            problems: Vec::new(),
            names: Vec::new(),
        }
    }
}

impl<'de> Deserialize<'de> for Tree {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Tree;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any YAML")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Tree, E> {
        Ok(Value::from(value).into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Tree, E> {
        Ok(Value::from(value).into())
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Tree, E> {
        match i64::try_from(value) {
            Ok(value) => self.visit_i64(value),
            // The API server knows no larger whole numbers.
            Err(_) => self.visit_f64(value as f64),
        }
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Tree, E> {
        let number = number(value).ok_or_else(|| E::custom("a number that is none"))?;
        Ok(Value::Number(number).into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Tree, E> {
        Ok(Value::from(value).into())
    }

    fn visit_string<E>(self, value: String) -> Result<Tree, E> {
        Ok(Value::from(value).into())
    }

    fn visit_unit<E>(self) -> Result<Tree, E> {
        Ok(Value::Null.into())
    }

    fn visit_none<E>(self) -> Result<Tree, E> {
        Ok(Value::Null.into())
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Tree, D::Error> {
        Tree::deserialize(deserializer)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Tree, A::Error> {
        let mut items = Vec::new();
        let mut tree = Tree::from(Value::Null);
        while let Some(item) = list.next_element::<Tree>()? {
            items.push(tree.adopt(item));
        }
        tree.value = Value::Array(items);
        Ok(tree)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Tree, A::Error> {
        let mut fields = Map::new();
        let mut merged = BTreeSet::new();
        let mut tree = Tree::from(Value::Null);
        while let Some(name) = map.next_key::<Spanned<Key>>()? {
            let location = name.referenced;
            let inside = map.next_value::<Tree>()?;
            let value = tree.adopt(inside);
            let Key { text, is_text } = name.value;
            if text == "<<" && location.span().byte_len() == Some(2) {
                let added = merge(&mut fields, value).map_err(|message| problem(location, message));
                match added {
                    Ok(added) => merged.extend(added),
                    Err(problem) => tree.problems.push(problem),
                }
                continue;
            }
            if fields.contains_key(&text) && !merged.remove(&text) {
                let message = format!("the key `{text}` is there twice");
                tree.problems.push(problem(location, message));
            }
            if !is_text {
                let text = text.clone();
                tree.names.push(Name { text, location });
            }
            fields.insert(text, value);
        }
        tree.value = Value::Object(fields);
        Ok(tree)
    }
}

impl Tree {
    fn adopt(&mut self, inside: Self) -> Value {
        self.problems.extend(inside.problems);
        self.names.extend(inside.names);
        inside.value
    }
}

/// Takes in what a `<<` stands for, and says which fields that are.
fn merge(fields: &mut Map<String, Value>, value: Value) -> Result<Vec<String>, String> {
    let maps = match value {
        Value::Array(maps) => maps,
        map => vec![map],
    };
    // Of several maps the first counts.
    let mut added = Map::new();
    for map in maps {
        let Value::Object(map) = map else {
            return Err("what stands behind `<<` is no map, and no list of maps".to_owned());
        };
        for (name, value) in map {
            added.entry(name).or_insert(value);
        }
    }
    let names = added.keys().cloned().collect();
    for (name, value) in added {
        if fields.get(&name).is_some_and(|before| *before != value) {
            return Err(format!(
                "`<<` sets `{name}`, which is there before it: kubectl takes the later, YAML the other; write `<<` first"
            ));
        }
        fields.insert(name, value);
    }
    Ok(names)
}

/// A number as JSON of the API server has it: whole if it can be.
fn number(value: f64) -> Option<Number> {
    // Each whole number of this range is an `i64`, and its conversion exact.
    const RANGE: std::ops::Range<f64> = -9_223_372_036_854_775_808.0..9_223_372_036_854_775_808.0;
    if value.fract() == 0.0 && RANGE.contains(&value) {
        return Some(Number::from(value as i64));
    }
    Number::from_f64(value)
}

/// The name of a field. YAML has names of every type, JSON only text.
struct Key {
    text: String,
    is_text: bool,
}

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let tree = Tree::deserialize(deserializer)?;
        let (text, is_text) = match tree.value {
            Value::String(text) => (text, true),
            Value::Array(_) | Value::Object(_) => {
                return Err(de::Error::custom(
                    "the name of a field is a list or a map, and has to be text",
                ));
            }
            other => (other.to_string(), false),
        };
        Ok(Self { text, is_text })
    }
}

#[cfg(test)]
mod tests;
