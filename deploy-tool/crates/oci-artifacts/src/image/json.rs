//! Pure: how documents are written.

/// Structures of strings and numbers always become JSON.
pub fn json(value: &impl serde::Serialize) -> Vec<u8> {
    serde_json::to_vec(value).unwrap_or_default()
}
