//! The event: a CloudEvent in its JSON format, every rule of which is checked, all at once.
//! <https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/formats/json-format.md>

use std::fmt;

use hyper::StatusCode;
use microservice::http::{Code, FieldError, Problem};
use microservice::json_array::Elements;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

/// The largest event in bytes. The specification asks receivers to take events of up to this size:
/// <https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md#size-limits>.
pub const MAX_BYTES: usize = 64 * 1024;

/// The largest batch of events in bytes, and the most events in one.
pub const MAX_BATCH_BYTES: usize = 1024 * 1024;
/// The most events in a batch.
pub const MAX_BATCH: usize = 500;

/// The longest `source`, `id` and `type`, in characters.
pub const MAX_CHARACTERS: usize = 255;

/// The most attributes, extensions included.
pub const MAX_ATTRIBUTES: usize = 100;

/// The body is JSON but breaks a rule of the event.
pub const INVALID_EVENT: Code = Code::new("invalid_event", StatusCode::UNPROCESSABLE_ENTITY);

/// An event that keeps every rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Where it happened. Together with the id it is different for each event.
    pub source: String,
    /// Its id.
    pub id: String,
    /// What happened, its `type`.
    pub kind: String,
    /// The event as it was received, with everything else that its sender put into it.
    pub json: String,
}

/// Reads an event.
pub fn read_event(body: &[u8]) -> Result<Event, Problem> {
    if body.len() > MAX_BYTES {
        let message = format!("an event has at most {MAX_BYTES} bytes");
        return Err(Problem::new(Code::TOO_LARGE, message));
    }
    read_value(serde_json::from_slice(body).map_err(not_json)?)
}

/// Reads a batch of events:
/// <https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/formats/json-format.md#4-json-batch-format>.
pub fn read_batch(body: &[u8]) -> Result<Vec<Event>, Problem> {
    let Elements::<MAX_BATCH>(values) = serde_json::from_slice(body).map_err(not_json)?;
    let Some(values) = values else {
        let message = format!("a batch holds 1 to {MAX_BATCH} events");
        return Err(Problem::new(INVALID_EVENT, message));
    };
    values
        .into_iter()
        .map(|value| read_event(value.get().as_bytes()))
        .collect()
}

fn not_json(error: serde_json::Error) -> Problem {
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
    // An attribute that is null counts as one that is not there.
    let find = |name: &str| {
        let found = attributes.iter().find(|(given, _)| given == name);
        found.map(|(_, value)| *value).filter(|value| value.get() != "null")
    };
    errors.check("specversion", required(find("specversion")).and_then(version));
    let id = errors.check("id", required(find("id")).and_then(key));
    let source = errors.check("source", required(find("source")).and_then(key).and_then(uri_reference));
    let kind = errors.check("type", required(find("type")).and_then(key));
    for (name, value) in &attributes {
        if value.get() != "null" {
            errors.check(name, check_other(name, value));
        }
    }
    if find("data").is_some() && find("data_base64").is_some() {
        errors.add("data_base64", "must not be there together with data");
    }
    Some(Event {
        source: source?,
        id: id?,
        kind: kind?,
        json: value.get().to_owned(),
    })
}

/// Checks what need not be there.
fn check_other(name: &str, value: &RawValue) -> Result<(), String> {
    match name {
        "specversion" | "id" | "source" | "type" | "data" => Ok(()),
        "subject" | "datacontenttype" => some_text(value).map(drop),
        "dataschema" => some_text(value).and_then(uri_reference).map(drop),
        "time" => some_text(value).and_then(timestamp),
        "data_base64" => text(value).and_then(base64),
        extension => check_extension(extension, value),
    }
}

/// <https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md#attribute-naming-convention>
fn check_extension(name: &str, value: &RawValue) -> Result<(), String> {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    if name.is_empty() || !name.bytes().all(plain) {
        return Err("must have a name of lower-case letters and digits".to_owned());
    }
    match value.get() {
        "true" | "false" => Ok(()),
        number if number.parse::<i32>().is_ok() => Ok(()),
        _ => text(value)
            .map(drop)
            .map_err(|_| "must be a string, a boolean or a 32-bit whole number".to_owned()),
    }
}

fn required(value: Option<&RawValue>) -> Result<String, String> {
    value.ok_or_else(|| "is missing".to_owned()).and_then(some_text)
}

fn some_text(value: &RawValue) -> Result<String, String> {
    let text = text(value)?;
    match text.is_empty() {
        true => Err("must not be empty".to_owned()),
        false => Ok(text),
    }
}

/// <https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md#type-system>
fn text(value: &RawValue) -> Result<String, String> {
    let text: String =
        serde_json::from_str(value.get()).map_err(|_| "must be a string of Unicode characters".to_owned())?;
    match text.chars().any(char::is_control) {
        true => Err("must not contain control characters".to_owned()),
        false => Ok(text),
    }
}

fn version(text: String) -> Result<(), String> {
    match text.as_str() {
        "1.0" => Ok(()),
        _ => Err("must be \"1.0\"".to_owned()),
    }
}

fn key(text: String) -> Result<String, String> {
    match text.chars().count() {
        ..=MAX_CHARACTERS => Ok(text),
        _ => Err(format!("must have at most {MAX_CHARACTERS} characters")),
    }
}

/// <https://www.rfc-editor.org/rfc/rfc3986#section-2>
fn uri_reference(text: String) -> Result<String, String> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:/?#[]@!$&'()*+,;=%".contains(&byte);
    match text.bytes().all(plain) {
        true => Ok(text),
        false => Err("must be a URI or the path of one; other characters are written like %C3%A4".to_owned()),
    }
}

fn base64(text: String) -> Result<(), String> {
    let digits = text.trim_end_matches('=');
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"+/".contains(&byte);
    match text.len() % 4 == 0 && text.len() - digits.len() <= 2 && digits.bytes().all(plain) {
        true => Ok(()),
        false => Err("must be a string in Base64".to_owned()),
    }
}

/// <https://www.rfc-editor.org/rfc/rfc3339#section-5.6>
fn timestamp(text: String) -> Result<(), String> {
    match is_timestamp(&text) {
        Some(true) => Ok(()),
        _ => Err("must be a time like 2026-11-22T16:50:00Z (RFC 3339)".to_owned()),
    }
}

/// `None` and `false` alike mean no.
fn is_timestamp(text: &str) -> Option<bool> {
    // Its form, with all digits made zeros; the fraction of a second may have any number of them.
    let zeros: String = text
        .chars()
        .map(|character| if character.is_ascii_digit() { '0' } else { character })
        .collect();
    let rest = zeros.to_ascii_uppercase();
    let rest = rest.strip_prefix("0000-00-00T00:00:00")?;
    let zone = match rest.strip_prefix(".0") {
        Some(fraction) => fraction.trim_start_matches('0'),
        None => rest,
    };
    let zone_start = text.len().checked_sub(zone.len())?;
    let number = |start: usize, end: usize| text.get(start..end)?.parse::<u32>().ok();
    let (year, month) = (number(0, 4)?, number(5, 7)?);
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 => 28 + u32::from(leap),
        _ => return None,
    };
    let zone_is_right = match zone {
        "Z" => true,
        "+00:00" | "-00:00" => {
            number(zone_start + 1, zone_start + 3)? < 24 && number(zone_start + 4, zone_start + 6)? < 60
        }
        _ => false,
    };
    let day_is_right = (1..=days).contains(&number(8, 10)?);
    // A second may be the 60th, a leap second.
    Some(zone_is_right && day_is_right && number(11, 13)? < 24 && number(14, 16)? < 60 && number(17, 19)? <= 60)
}

#[derive(Default)]
struct Errors(Vec<FieldError>);

impl Errors {
    fn add(&mut self, name: &str, message: impl Into<String>) {
        // Its sender made it up: it may be as long as the event.
        const LONGEST: usize = 100;
        self.0.push(FieldError {
            field: name.chars().take(LONGEST).collect(),
            message: message.into(),
        });
    }

    /// Takes the value of a check, or keeps its message.
    fn check<T>(&mut self, name: &str, checked: Result<T, String>) -> Option<T> {
        checked.map_err(|message| self.add(name, message)).ok()
    }
}

/// The members of a JSON object in their order, as the client wrote them, so that one of the wrong type does not hide
/// the other wrong ones.
struct Attributes<'body>(Vec<(String, &'body RawValue)>);

impl<'de> Deserialize<'de> for Attributes<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(AttributesVisitor)
    }
}

struct AttributesVisitor;

impl<'de> Visitor<'de> for AttributesVisitor {
    type Value = Attributes<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an event")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut attributes = Vec::new();
        while let Some(attribute) = map.next_entry()? {
            attributes.push(attribute);
        }
        Ok(Attributes(attributes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_those_of_rfc_3339() {
        for time in [
            "2026-11-22T16:50:00Z",
            "2026-11-22t16:50:00.123456z",
            "2024-02-29T23:59:60.0+23:59",
            "2000-02-29T00:00:00-00:00",
            "0000-01-01T00:00:00Z",
        ] {
            assert_eq!(timestamp(time.to_owned()), Ok(()), "{time}");
        }
        for time in [
            "",
            "2026-11-22",
            "2026-11-22T16:50:00",
            "2026-11-22 16:50:00Z",
            "2026-11-22T16:50Z",
            "2026-11-22T16:50:00.Z",
            "2026-11-22T16:50:00ZZ",
            "2026-11-22T16:50:00+1:00",
            "2026-11-22T16:50:00+24:00",
            "2026-11-22T16:50:00+00:60",
            "2026-13-22T16:50:00Z",
            "2026-00-22T16:50:00Z",
            "2026-04-31T16:50:00Z",
            "2026-11-00T16:50:00Z",
            "2025-02-29T16:50:00Z",
            "1900-02-29T16:50:00Z",
            "2026-11-22T24:00:00Z",
            "2026-11-22T16:60:00Z",
            "2026-11-22T16:50:61Z",
            "٢٠26-11-22T16:50:00Z",
        ] {
            assert!(timestamp(time.to_owned()).is_err(), "{time}");
        }
    }

    #[test]
    fn base64_has_its_alphabet_and_length() {
        for text in ["", "AA==", "AAA=", "+/09azAZ"] {
            assert_eq!(base64(text.to_owned()), Ok(()), "{text}");
        }
        for text in ["A", "AA=", "A===", "====", "AA=A", "AA-_", "ää=="] {
            assert!(base64(text.to_owned()).is_err(), "{text}");
        }
    }

    /// Reading is not recursive, so that no depth ends the process.
    #[test]
    fn data_may_be_as_deep_as_it_is_large() {
        let depth = 30_000;
        let data = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        let json = format!(r#"{{"specversion":"1.0","id":"1","source":"/a","type":"b","data":{data}}}"#);
        assert_eq!(read_event(json.as_bytes()).unwrap().json, json);
    }
}
