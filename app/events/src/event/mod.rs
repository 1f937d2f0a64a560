//! CloudEvents in the JSON format. All rules are checked, so that a sender gets all errors at once.
//! <https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/formats/json-format.md>

mod attributes;
mod members;
#[cfg(test)]
mod tests;
mod timestamp;

use hyper::StatusCode;
use microservice::http::{Code, FieldError, Problem};
use microservice::json_array::Elements;
use serde::Deserialize;
use serde_json::value::RawValue;

pub use attributes::MAX_CHARACTERS;

use attributes::{check_length, check_optional, check_uri_reference, check_version, require_text};
use members::Attributes;

/// The largest event in bytes. The specification asks receivers to take events of up to this size:
/// <https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md#size-limits>.
pub const MAX_BYTES: usize = 64 * 1024;

/// The largest batch of events in bytes.
pub const MAX_BATCH_BYTES: usize = 1024 * 1024;
/// The most events in a batch.
pub const MAX_BATCH: usize = 500;

/// The most attributes, extensions included.
pub const MAX_ATTRIBUTES: usize = 100;

/// The body is JSON, but no valid event.
pub const INVALID_EVENT: Code = Code::new("invalid_event", StatusCode::UNPROCESSABLE_ENTITY);

/// A valid event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// The source. Together with the id it identifies the event.
    pub source: String,
    /// The id.
    pub id: String,
    /// The `type`.
    pub kind: String,
    /// The whole event as it was received.
    pub json: String,
}

/// Parses and checks an event.
pub fn read_event(body: &[u8]) -> Result<Event, Problem> {
    if body.len() > MAX_BYTES {
        let message = format!("an event has at most {MAX_BYTES} bytes");
        return Err(Problem::new(Code::TOO_LARGE, message));
    }
    read_value(serde_json::from_slice(body).map_err(invalid_json)?)
}

/// Parses and checks a batch of events:
/// <https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/formats/json-format.md#4-json-batch-format>.
pub fn read_batch(body: &[u8]) -> Result<Vec<Event>, Problem> {
    if body.len() > MAX_BATCH_BYTES {
        let message = format!("a batch has at most {MAX_BATCH_BYTES} bytes");
        return Err(Problem::new(Code::TOO_LARGE, message));
    }
    let Elements::<MAX_BATCH>(values) = serde_json::from_slice(body).map_err(invalid_json)?;
    let Some(values) = values else {
        let message = format!("a batch holds 1 to {MAX_BATCH} events");
        return Err(Problem::new(INVALID_EVENT, message));
    };
    values
        .into_iter()
        .map(|value| read_event(value.get().as_bytes()))
        .collect()
}

/// The source and the id of what may be no valid event, as they are written there, for the log.
pub fn describe_event(body: &[u8]) -> (String, String) {
    #[derive(Default, Deserialize)]
    struct Identity<'body> {
        #[serde(borrow)]
        source: Option<&'body RawValue>,
        #[serde(borrow)]
        id: Option<&'body RawValue>,
    }
    let Identity { source, id } = serde_json::from_slice(body).unwrap_or_default();
    let shortened = |value: Option<&RawValue>| {
        let text = value.map_or("unknown", RawValue::get);
        text.chars().take(MAX_CHARACTERS).collect()
    };
    (shortened(source), shortened(id))
}

fn invalid_json(error: serde_json::Error) -> Problem {
    let (line, column) = (error.line(), error.column());
    let message = format!("the body is not valid JSON (line {line}, column {column})");
    Problem::new(Code::INVALID_JSON, message)
}

fn read_value(value: &RawValue) -> Result<Event, Problem> {
    let mut errors = Errors::default();
    match check_event(value, &mut errors) {
        Some(event) if errors.0.is_empty() => Ok(event),
        _ => Err(Problem {
            fields: errors.0,
            ..Problem::new(INVALID_EVENT, "the event is not valid")
        }),
    }
}

fn check_event(value: &RawValue, errors: &mut Errors) -> Option<Event> {
    let Ok(Attributes(attributes)) = serde_json::from_str(value.get()) else {
        errors.add("body", "must be a JSON object");
        return None;
    };
    if attributes.len() > MAX_ATTRIBUTES {
        errors.add("body", format!("must have at most {MAX_ATTRIBUTES} attributes"));
        return None;
    }
    for (index, (name, _)) in attributes.iter().enumerate() {
        let mut earlier = attributes.iter().take(index);
        if earlier.any(|(earlier_name, _)| earlier_name == name) {
            errors.add(name, "is given more than once");
        }
    }
    // A null attribute counts as missing.
    let find_attribute = |name: &str| {
        let member = attributes.iter().find(|(member_name, _)| member_name == name);
        member.map(|(_, value)| *value).filter(|value| value.get() != "null")
    };
    errors.check(
        "specversion",
        require_text(find_attribute("specversion")).and_then(check_version),
    );
    let id = errors.check("id", require_text(find_attribute("id")).and_then(check_length));
    let source = errors.check(
        "source",
        require_text(find_attribute("source"))
            .and_then(check_length)
            .and_then(check_uri_reference),
    );
    let kind = errors.check("type", require_text(find_attribute("type")).and_then(check_length));
    for (name, value) in &attributes {
        if value.get() != "null" {
            errors.check(name, check_optional(name, value));
        }
    }
    if find_attribute("data").is_some() && find_attribute("data_base64").is_some() {
        errors.add("data_base64", "must not be there together with data");
    }
    Some(Event {
        source: source?,
        id: id?,
        kind: kind?,
        json: value.get().to_owned(),
    })
}

#[derive(Default)]
struct Errors(Vec<FieldError>);

impl Errors {
    fn add(&mut self, name: &str, message: impl Into<String>) {
        // The name of an extension is chosen by the sender, and may be as long as the event.
        const MAX_NAME_CHARACTERS: usize = 100;
        self.0.push(FieldError {
            field: name.chars().take(MAX_NAME_CHARACTERS).collect(),
            message: message.into(),
        });
    }

    /// Unwraps the result of a check, or adds its error.
    fn check<T>(&mut self, name: &str, result: Result<T, String>) -> Option<T> {
        result.map_err(|message| self.add(name, message)).ok()
    }
}
