//! Where in a file each part of a document stands.

use std::fmt;

use serde::de::{IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_saphyr::Spanned;

/// A document, a field or an item, with what is inside of it.
#[derive(Clone, Debug)]
pub struct LineIndex {
    /// The line, counted from 1 at the start of the file.
    pub line: u64,
    inner: Inner,
}

#[derive(Clone, Debug)]
enum Inner {
    Fields(Vec<(String, LineIndex)>),
    Items(Vec<LineIndex>),
    Scalar,
}

/// The lines of all documents of a file. Of one that cannot be read there are none.
pub fn line_indexes(text: &str) -> Vec<LineIndex> {
    serde_saphyr::from_multiple_with_options(text, crate::options()).unwrap_or_default()
}

impl LineIndex {
    /// Counts the lines of what is before the text.
    pub(crate) fn move_down(&mut self, lines: u64) {
        self.line += lines;
        match &mut self.inner {
            Inner::Fields(fields) => fields.iter_mut().for_each(|(_, index)| index.move_down(lines)),
            Inner::Items(items) => items.iter_mut().for_each(|index| index.move_down(lines)),
            Inner::Scalar => {}
        }
    }

    /// The line of what a JSON pointer leads to: of a field, that of its name. Where there is no such part, that of what
    /// it would be in.
    pub fn line_of(&self, pointer: &str) -> u64 {
        let steps = pointer.split('/').skip(1);
        let mut index = self;
        for step in steps {
            let name = step.replace("~1", "/").replace("~0", "~");
            let next = match &index.inner {
                Inner::Fields(fields) => fields.iter().find(|(field, _)| *field == name).map(|(_, index)| index),
                Inner::Items(items) => name.parse().ok().and_then(|index: usize| items.get(index)),
                Inner::Scalar => None,
            };
            let Some(next) = next else { break };
            index = next;
        }
        index.line
    }
}

impl<'de> Deserialize<'de> for LineIndex {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let found = Spanned::<Inner>::deserialize(deserializer)?;
        Ok(Self {
            line: found.referenced.line(),
            inner: found.value,
        })
    }
}

impl<'de> Deserialize<'de> for Inner {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Inside)
    }
}

struct Inside;

impl<'de> Visitor<'de> for Inside {
    type Value = Inner;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any YAML")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Inner, A::Error> {
        let mut fields = Vec::new();
        while let Some(name) = map.next_key::<Spanned<String>>()? {
            let inside: LineIndex = map.next_value()?;
            let index = LineIndex {
                line: name.referenced.line(),
                inner: inside.inner,
            };
            fields.push((name.value, index));
        }
        Ok(Inner::Fields(fields))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Inner, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = list.next_element()? {
            items.push(item);
        }
        Ok(Inner::Items(items))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Inner, E> {
        Ok(Inner::Scalar)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Inner, E> {
        Ok(Inner::Scalar)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Inner, E> {
        Ok(Inner::Scalar)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Inner, E> {
        Ok(Inner::Scalar)
    }

    fn visit_str<E>(self, _: &str) -> Result<Inner, E> {
        Ok(Inner::Scalar)
    }

    fn visit_bytes<E>(self, _: &[u8]) -> Result<Inner, E> {
        Ok(Inner::Scalar)
    }

    fn visit_unit<E>(self) -> Result<Inner, E> {
        Ok(Inner::Scalar)
    }

    fn visit_none<E>(self) -> Result<Inner, E> {
        Ok(Inner::Scalar)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Inner, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<Inner, D::Error> {
        IgnoredAny::deserialize(deserializer).map(|_| Inner::Scalar)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_part_has_its_line() {
        let text = "# a list\nkind: List\nitems:\n- metadata:\n    name: a\n\n- &b {metadata: {\n    name: b}}\n- *b\n---\n---\na/b: [1, {c: null}]\n";
        let found = line_indexes(text);
        let lines = |document: usize, pointers: &[&str]| -> Vec<u64> {
            let index = &found[document];
            pointers.iter().map(|pointer| index.line_of(pointer)).collect()
        };
        assert_eq!(
            lines(
                0,
                &[
                    "",
                    "/kind",
                    "/items",
                    "/items/0",
                    "/items/0/metadata/name",
                    "/items/1/metadata/name",
                    "/items/2"
                ]
            ),
            [2, 2, 3, 4, 5, 8, 9]
        );
        assert_eq!(
            lines(0, &["/items/0/metadata/labels", "/items/9", "/kind/x"]),
            [4, 3, 2]
        );
        assert_eq!(lines(1, &["", "/a~1b/1/c"]), [12, 12]);
    }

    #[test]
    fn keys_that_are_no_text_are_places_too() {
        let found = line_indexes("1: a\ntrue:\n  b: c\n");
        assert_eq!(found[0].line_of("/true/b"), 3);
    }
}
