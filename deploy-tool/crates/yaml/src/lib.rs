//! The one way YAML is read and written: as kubectl reads it, with the place in every error.
//!
//! kubectl reads YAML 1.1 (`0644` is 420, `yes` is true), duplicate keys are refused.

mod encoding;
mod limit;
mod line_index;
mod manifest;

use serde::de::{DeserializeOwned, IgnoredAny};
use serde_saphyr::options::MergeKeyPolicy;
use serde_saphyr::{Options, Spanned};

pub use encoding::text;
pub use line_index::LineIndex;
pub use manifest::{line_indexes, manifest};

/// A YAML text that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {message}")]
pub struct YamlError {
    /// The line, counted from 1 at the start of the file.
    pub line: u64,
    /// The column, counted from 1.
    pub column: u64,
    /// What is wrong there.
    pub message: String,
}

/// One document and the line at which it starts.
#[derive(Clone, Debug, PartialEq)]
pub struct Document<T> {
    /// The line, counted from 1 at the start of the file.
    pub line: u64,
    /// What the document says.
    pub value: T,
}

/// Reads all documents of a file; empty ones are left out.
///
/// # Errors
/// When the text is no YAML, or not of the wanted form.
pub fn documents<T: DeserializeOwned>(text: &str) -> Result<Vec<Document<T>>, YamlError> {
    refuse_double_merges(text)?;
    let found: Vec<Spanned<T>> =
        serde_saphyr::from_multiple_with_options(text, options()).map_err(|error| describe(&error))?;
    Ok(found
        .into_iter()
        .map(|document| Document {
            line: document.referenced.line(),
            value: document.value,
        })
        .collect())
}

/// Reads a file of exactly one document.
///
/// # Errors
/// When the text is no YAML, not of the wanted form, or holds another number of documents.
pub fn parse_document<T: DeserializeOwned>(text: &str) -> Result<T, YamlError> {
    let mut all = documents(text)?;
    match (all.pop(), all.is_empty()) {
        (Some(only), true) => Ok(only.value),
        _ => Err(YamlError {
            line: 1,
            column: 1,
            message: "exactly one document is wanted here".into(),
        }),
    }
}

/// Writes a document.
///
/// # Errors
/// When the value has no form in YAML.
pub fn write(value: &impl serde::Serialize) -> Result<String, YamlError> {
    serde_saphyr::to_string(value).map_err(|error| YamlError {
        line: 1,
        column: 1,
        message: error.to_string(),
    })
}

fn options() -> Options {
    serde_saphyr::options! { legacy_octal_numbers: true, with_snippet: false, budget: limit::budget(), alias_limits: limit::aliases() }
}

/// A `<<` is a key like any other: it may be in a map once.
fn refuse_double_merges(text: &str) -> Result<(), YamlError> {
    if text.matches("<<").nth(1).is_none() {
        return Ok(());
    }
    let mut options = options();
    options.merge_keys = MergeKeyPolicy::AsOrdinary;
    let read: Result<Vec<IgnoredAny>, _> = serde_saphyr::from_multiple_with_options(text, options);
    read.map(drop).map_err(|error| describe(&error))
}

fn describe(error: &serde_saphyr::Error) -> YamlError {
    let (line, column) = error
        .location()
        .map_or((1, 1), |location| (location.line(), location.column()));
    let message = match error.without_snippet() {
        serde_saphyr::Error::DuplicateMappingKey { key: Some(key), .. } => format!("the key `{key}` is there twice"),
        serde_saphyr::Error::NonFiniteFloat { .. } => {
            "a number that is too large, or none: put it in quotes if it is text".to_owned()
        }
        _ => limit::exceeded(error).unwrap_or_else(|| error.to_string()),
    };
    let position = format!(" at line {line}, column {column}");
    let message = message.lines().next().unwrap_or_default().replace(&position, "");
    YamlError { line, column, message }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    #[test]
    fn reads_what_kubectl_reads() {
        let text = "# comment\n---\na: 0644\nb: yes\n---\n# nothing\n---\nc: '1'\n";
        let found = documents::<Value>(text).unwrap();
        assert_eq!(
            found[0],
            Document {
                line: 3,
                value: json!({"a": 420, "b": true})
            }
        );
        assert_eq!(
            found[1],
            Document {
                line: 8,
                value: json!({"c": "1"})
            }
        );
        assert_eq!(found.len(), 2);
    }

    #[test]
    fn merges_are_taken_once_a_map() {
        let two = "base: &one {a: 1}\nmore: &two {b: 2}\nc:\n  <<: *one\n  d: 1\n  <<: *two\n";
        let error = documents::<Value>(two).unwrap_err();
        assert_eq!(error.line, 6, "{error}");
        let list = "one: &one {a: 1}\ntwo: &two {b: 2}\nc: {<<: [*one, *two]}\nd: {<<: *one}\ne: \"<< <<\"\n";
        let found = documents::<Value>(list).unwrap();
        assert_eq!(found[0].value["c"], json!({"a": 1, "b": 2}));
    }

    #[test]
    fn line_ends_of_every_platform_are_the_same() {
        for end in ["\n", "\r\n", "\r"] {
            let text = ["a: |", "  one", "  two", "---", "b: [", "  1]", ""].join(end);
            let found = documents::<Value>(&text).unwrap();
            assert_eq!(found[0].value, json!({"a": "one\ntwo\n"}), "{end:?}");
            assert_eq!((found[1].line, &found[1].value), (5, &json!({"b": [1]})), "{end:?}");
        }
    }

    #[test]
    fn an_error_has_its_place() {
        let error = documents::<Value>("a: 1\nb: [1, 2\nc: 3\n").unwrap_err();
        assert!((2..=4).contains(&error.line), "{error}");
        let twice = documents::<Value>("a: 1\na: 2\n").unwrap_err();
        assert_eq!(twice.line, 2, "{twice}");
        assert_eq!(twice.message, "the key `a` is there twice");
        assert!(!twice.message.contains('\n'));
    }
}
