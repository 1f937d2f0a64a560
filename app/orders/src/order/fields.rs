//! The members of an order's JSON object.

use std::fmt;

use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

/// The names that an order's fields may have.
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

/// The fields of an order as the client wrote them, so that numbers keep all their digits and a field of the wrong type
/// does not hide the other wrong ones.
#[derive(Default)]
pub struct Fields<'body> {
    /// By the place of the name in [`NAMES`].
    values: [Option<&'body RawValue>; NAMES.len()],
    is_repeated: [bool; NAMES.len()],
}

impl<'body> Fields<'body> {
    /// The field of this name, if it is there.
    pub fn get(&self, name: &str) -> Option<&'body RawValue> {
        let mut fields = NAMES.iter().zip(self.values);
        fields.find(|(found, _)| **found == name).and_then(|(_, value)| value)
    }

    /// The names that are given more than once.
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
        while let Some(Name(place)) = map.next_key()? {
            let value = place.and_then(|place| fields.values.get_mut(place));
            let (Some(place), Some(value)) = (place, value) else {
                map.next_value::<IgnoredAny>()?;
                continue;
            };
            let earlier = value.replace(map.next_value()?);
            if let Some(is_repeated) = fields.is_repeated.get_mut(place) {
                *is_repeated |= earlier.is_some();
            }
        }
        Ok(fields)
    }
}

/// The place of a member's name in [`NAMES`]. Other names need not even be text: JSON can write half a character.
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
        Ok(Name(NAMES.iter().position(|known| known.as_bytes() == name)))
    }
}
