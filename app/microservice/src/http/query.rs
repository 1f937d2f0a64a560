//! Query strings, as browsers and curl write them.

use std::borrow::Cow;

/// The query string of a request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Query<'text> {
    text: &'text str,
}

impl<'text> Query<'text> {
    /// The query of a request target: everything after the `?`.
    pub fn new(text: Option<&'text str>) -> Query<'text> {
        Query {
            text: text.unwrap_or_default(),
        }
    }

    /// The first value of a parameter, decoded.
    pub fn get(self, name: &str) -> Option<Cow<'text, str>> {
        self.text.split('&').find_map(|pair| {
            let (found, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode(found) == name).then(|| decode(value))
        })
    }
}

/// Decodes percent signs and plus signs; what is not valid stays as it is.
fn decode(text: &str) -> Cow<'_, str> {
    if !text.contains(['%', '+']) {
        return Cow::Borrowed(text);
    }
    let spaced = text.replace('+', " ");
    Cow::Owned(percent_decoded(&spaced))
}

/// Decodes `%41` to `A`. An incomplete or wrong escape stays as it is, bytes that are no UTF-8
/// become the replacement character: both then fail whatever rule the value must keep.
pub(crate) fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        let escaped = match after {
            [high, low, ..] if byte == b'%' => hexadecimal(*high).zip(hexadecimal(*low)),
            _ => None,
        };
        match (escaped, after.get(2..)) {
            (Some((high, low)), Some(after_escape)) => {
                bytes.push(high << 4 | low);
                rest = after_escape;
            }
            _ => bytes.push(byte),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn hexadecimal(digit: u8) -> Option<u8> {
    char::from(digit)
        .to_digit(16)
        .and_then(|value| u8::try_from(value).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_and_decodes() {
        for (query, name, value) in [
            ("id=2", "id", Some("2")),
            ("a=1&id=2&id=3", "id", Some("2")),
            ("id", "id", Some("")),
            ("id=", "id", Some("")),
            ("i%64=%32", "id", Some("2")),
            ("id=+2%2", "id", Some(" 2%2")),
            ("id=%zz%", "id", Some("%zz%")),
            ("id=%ff", "id", Some("\u{fffd}")),
            ("id=a=b", "id", Some("a=b")),
            ("", "id", None),
            ("ids=1", "id", None),
        ] {
            let found = Query::new(Some(query)).get(name);
            assert_eq!(found.as_deref(), value, "{query}");
        }
    }
}
