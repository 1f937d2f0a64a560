//! Pure: what stands in for crates of registries, by `[patch]` of a manifest.

use std::collections::BTreeMap;

use toml_edit::{Document, Item};

use super::crate_source::CrateSource;

/// What stands in for crates of registries, by name:
/// <https://doc.rust-lang.org/cargo/reference/overriding-dependencies.html#the-patch-section>.
pub fn patches(root: &str) -> BTreeMap<String, CrateSource> {
    let Ok(manifest) = Document::parse(root) else {
        return BTreeMap::new();
    };
    let tables = manifest.get("patch").and_then(Item::as_table_like);
    let registries = tables.into_iter().flat_map(|tables| tables.iter());
    let entries = registries.filter_map(|(_, table)| table.as_table_like());
    let patches = entries.flat_map(|entries| entries.iter()).map(|(key, patch)| {
        let text = |field: &str| patch.as_table_like()?.get(field)?.as_str();
        let source = match text("git") {
            Some(address) => CrateSource::Git(address.to_owned()),
            None => CrateSource::Folder,
        };
        (text("package").unwrap_or(key).to_owned(), source)
    });
    patches.collect()
}
