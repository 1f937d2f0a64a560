//! Pure: the printer's event for an object that was applied or deleted.

use serde_json::Value;
use terminal::{Action, Change};

use crate::manifest::Wave;
use crate::release::Identity;

/// What happened to an object, and with which others at the same time.
pub fn describe_change(action: Action, wave: Wave, identity: &Identity) -> Change {
    let text = |text: &String| Value::String(text.clone());
    let fields = [
        ("wave", serde_json::to_value(wave).ok()),
        ("group", (!identity.group.is_empty()).then(|| text(&identity.group))),
        ("version", Some(text(&identity.version))),
        ("kind", Some(text(&identity.kind))),
        ("namespace", identity.namespace.as_ref().map(text)),
        ("name", Some(text(&identity.name))),
    ];
    Change {
        action,
        title: identity.title(),
        fields: fields
            .into_iter()
            .filter_map(|(name, value)| Some((name, value?)))
            .collect(),
    }
}
