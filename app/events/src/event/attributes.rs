//! The types and formats of attributes.

use serde_json::value::RawValue;

use super::timestamp::check_timestamp;

/// The longest `source`, `id` and `type`, in characters.
pub const MAX_CHARACTERS: usize = 255;

/// Checks an optional attribute or an extension.
pub(super) fn check_optional(name: &str, value: &RawValue) -> Result<(), String> {
    match name {
        "specversion" | "id" | "source" | "type" | "data" => Ok(()),
        "subject" | "datacontenttype" => parse_non_empty_text(value).map(drop),
        "dataschema" => parse_non_empty_text(value).and_then(check_uri_reference).map(drop),
        "time" => parse_non_empty_text(value).and_then(check_timestamp),
        "data_base64" => parse_text(value).and_then(check_base64),
        extension => check_extension(extension, value),
    }
}

/// <https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md#attribute-naming-convention>
fn check_extension(name: &str, value: &RawValue) -> Result<(), String> {
    let is_allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    if name.is_empty() || !name.bytes().all(is_allowed) {
        return Err("must have a name of lower-case letters and digits".to_owned());
    }
    match value.get() {
        "true" | "false" => Ok(()),
        number if number.parse::<i32>().is_ok() => Ok(()),
        _ => parse_text(value)
            .map(drop)
            .map_err(|_| "must be a string, a boolean or a 32-bit whole number".to_owned()),
    }
}

pub(super) fn require_text(value: Option<&RawValue>) -> Result<String, String> {
    value
        .ok_or_else(|| "is missing".to_owned())
        .and_then(parse_non_empty_text)
}

fn parse_non_empty_text(value: &RawValue) -> Result<String, String> {
    let text = parse_text(value)?;
    if text.is_empty() {
        Err("must not be empty".to_owned())
    } else {
        Ok(text)
    }
}

/// <https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md#type-system>
fn parse_text(value: &RawValue) -> Result<String, String> {
    let text: String =
        serde_json::from_str(value.get()).map_err(|_| "must be a string of Unicode characters".to_owned())?;
    if text.chars().any(char::is_control) {
        Err("must not contain control characters".to_owned())
    } else {
        Ok(text)
    }
}

pub(super) fn check_version(text: String) -> Result<(), String> {
    match text.as_str() {
        "1.0" => Ok(()),
        _ => Err("must be \"1.0\"".to_owned()),
    }
}

pub(super) fn check_length(text: String) -> Result<String, String> {
    match text.chars().count() {
        ..=MAX_CHARACTERS => Ok(text),
        _ => Err(format!("must have at most {MAX_CHARACTERS} characters")),
    }
}

/// <https://www.rfc-editor.org/rfc/rfc3986#section-2>
pub(super) fn check_uri_reference(text: String) -> Result<String, String> {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:/?#[]@!$&'()*+,;=%".contains(&byte);
    if text.bytes().all(is_allowed) {
        Ok(text)
    } else {
        Err("must be a URI or the path of one; other characters are written like %C3%A4".to_owned())
    }
}

pub(super) fn check_base64(text: String) -> Result<(), String> {
    let digits = text.trim_end_matches('=');
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"+/".contains(&byte);
    if text.len() % 4 == 0 && text.len() - digits.len() <= 2 && digits.bytes().all(is_allowed) {
        Ok(())
    } else {
        Err("must be a string in Base64".to_owned())
    }
}
