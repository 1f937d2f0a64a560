//! Pure: what a run has changed elsewhere, one object at a time.

use std::fmt;

use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::Value;

/// What happened to an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Action {
    /// It was not there before.
    Created,
    /// It was there and is different now.
    Changed,
    /// The server has taken its deletion; it may be there until its finalizers are done.
    Deleted,
}

/// An object that was stored, or whose deletion was taken.
#[derive(Clone, Debug)]
pub struct Change {
    /// What happened to it.
    pub action: Action,
    /// For people: Deployment `app`.
    pub title: String,
    /// For programs: which object it is, field by field, in the order in which they are printed.
    pub fields: Vec<(&'static str, Value)>,
}

impl Serialize for Change {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.fields.len() + 1))?;
        map.serialize_entry("action", &self.action)?;
        for (name, value) in &self.fields {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

/// As `--verbose` prints it: created Deployment `app`.
impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let action = match self.action {
            Action::Created => "created",
            Action::Changed => "changed",
            Action::Deleted => "deleted",
        };
        write!(f, "{action} {}", self.title)
    }
}
