//! Pure: how documents and tags are written.

/// A tag made from a digest: an image that is loaded into a node has no registry that could be asked for the digest.
pub fn tag(digest: &str) -> String {
    digest.replace(':', "-")
}

/// Structures of strings and numbers always become JSON.
pub fn json(value: &impl serde::Serialize) -> Vec<u8> {
    serde_json::to_vec(value).unwrap_or_default()
}
