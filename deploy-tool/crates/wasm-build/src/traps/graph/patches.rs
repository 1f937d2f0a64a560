//! Pure: what a lock file and `[patch]` of a manifest say of where crates are from.

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

/// A package of Cargo.lock.
pub struct LockedPackage<'l> {
    /// Its name.
    pub name: &'l str,
    /// Its version.
    pub version: &'l str,
    /// Where it is from; nothing for a folder.
    pub source: Option<&'l str>,
    /// Names of its dependencies, with the version where there are several.
    pub needs: Vec<(&'l str, Option<&'l str>)>,
}

/// The packages of a lock file.
pub fn locked(lock: &str) -> Vec<LockedPackage<'_>> {
    let packages = lock.split("[[package]]").skip(1);
    let field = |package: &'_ str, name: &str| -> Option<(usize, usize)> {
        let start = package.find(&format!("\n{name} = \""))? + name.len() + 5;
        Some((start, start + package[start..].find('"')?))
    };
    packages
        .filter_map(|package| {
            let text = |(start, end): (usize, usize)| &package[start..end];
            let list = package.split_once("\ndependencies = [").map_or("", |(_, list)| list);
            let needs = list.split(']').next().unwrap_or_default().lines().filter_map(|line| {
                let mut words = line.trim_matches([' ', '"', ',']).split(' ');
                let name = words.next().filter(|name| !name.is_empty())?;
                Some((name, words.next()))
            });
            Some(LockedPackage {
                name: field(package, "name").map(text)?,
                version: field(package, "version").map(text)?,
                source: field(package, "source").map(text),
                needs: needs.collect(),
            })
        })
        .collect()
}
