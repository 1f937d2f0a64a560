//! Query strings.

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

    /// The query as it was written.
    pub fn text(self) -> &'text str {
        self.text
    }

    /// The first value of a parameter, decoded. Invalid escapes stay as they are, and invalid UTF-8 becomes the
    /// replacement character, so that parsing the value fails.
    pub fn get(self, name: &str) -> Option<Cow<'text, str>> {
        let mut pairs = form_urlencoded::parse(self.text.as_bytes());
        pairs.find_map(|(found, value)| (found == name).then_some(value))
    }
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
