//! JSON arrays of clients, with a limit on the number of elements.

use std::fmt;

use serde::de::{IgnoredAny, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

/// The elements of an array as raw JSON; `None` if it is empty or has more than `MAX` elements, which are then not
/// stored.
#[derive(Debug)]
pub struct Elements<'body, const MAX: usize>(pub Option<Vec<&'body RawValue>>);

impl<'de, const MAX: usize> Deserialize<'de> for Elements<'de, MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(ElementsVisitor)
    }
}

struct ElementsVisitor<const MAX: usize>;

impl<'de, const MAX: usize> Visitor<'de> for ElementsVisitor<MAX> {
    type Value = Elements<'de, MAX>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Self::Value, A::Error> {
        let mut elements = Vec::new();
        while elements.len() < MAX {
            match sequence.next_element()? {
                Some(element) => elements.push(element),
                None => return Ok(Elements(Some(elements).filter(|elements| !elements.is_empty()))),
            }
        }
        let mut has_more = false;
        while sequence.next_element::<IgnoredAny>()?.is_some() {
            has_more = true;
        }
        Ok(Elements(Some(elements).filter(|_| !has_more)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_no_more_than_it_may() {
        let count = |text: &str| -> Option<Option<usize>> {
            let Elements::<3>(elements) = serde_json::from_str(text).ok()?;
            Some(elements.map(|elements| elements.len()))
        };
        assert_eq!(count("[]"), Some(None));
        assert_eq!(count("[1]"), Some(Some(1)));
        assert_eq!(count(r#"[1,{"a":[2]},"3"]"#), Some(Some(3)));
        assert_eq!(count("[1,2,3,4]"), Some(None));
        assert_eq!(count("[1,2,3,4,nothing]"), None);
        assert_eq!(count("{}"), None);
    }
}
