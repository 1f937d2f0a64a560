//! The members of an order's JSON object, before their types are checked.

use std::fmt;

use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

/// The names of the fields.
const NAMES: [&str; 8] = [
    "order_id",
    "product_id",
    "production_id",
    "quantity",
    "amount",
    "shipping",
    "tax",
    "shipping_address",
];

/// The fields of an order as raw JSON: numbers keep all their digits, and a field of the wrong type does not keep the
/// others from being checked.
#[derive(Default)]
pub struct Fields<'body> {
    /// By the index of the name in [`NAMES`].
    values: [Option<&'body RawValue>; NAMES.len()],
    is_repeated: [bool; NAMES.len()],
}

impl<'body> Fields<'body> {
    /// The field with this name, if there is one.
    pub fn get(&self, name: &str) -> Option<&'body RawValue> {
        let mut fields = NAMES.iter().zip(self.values);
        fields
            .find(|(field_name, _)| **field_name == name)
            .and_then(|(_, value)| value)
    }

    /// The names that occur more than once.
    pub fn repeated(&self) -> impl Iterator<Item = &'static str> + '_ {
        NAMES
            .into_iter()
            .zip(self.is_repeated)
            .filter_map(|(name, is_repeated)| is_repeated.then_some(name))
    }
}

impl<'de> Deserialize<'de> for Fields<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(FieldsVisitor)
    }
}

struct FieldsVisitor;

impl<'de> Visitor<'de> for FieldsVisitor {
    type Value = Fields<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an order")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut fields = Fields::default();
        while let Some(Name(index)) = map.next_key()? {
            let value = index.and_then(|index| fields.values.get_mut(index));
            let (Some(index), Some(value)) = (index, value) else {
                map.next_value::<IgnoredAny>()?;
                continue;
            };
            let previous = value.replace(map.next_value()?);
            if let Some(is_repeated) = fields.is_repeated.get_mut(index) {
                *is_repeated |= previous.is_some();
            }
        }
        Ok(fields)
    }
}

/// The index of a name in [`NAMES`]. Read as bytes, because JSON allows names that are not valid Unicode (lone
/// surrogates).
struct Name(Option<usize>);

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_bytes(NameVisitor)
    }
}

struct NameVisitor;

impl Visitor<'_> for NameVisitor {
    type Value = Name;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a name")
    }

    fn visit_bytes<E>(self, name: &[u8]) -> Result<Name, E> {
        Ok(Name(NAMES.iter().position(|field_name| field_name.as_bytes() == name)))
    }
}
