//! Parses `cargo tree` for the crates in a module; their checksums are those of Cargo.lock.

use std::collections::{BTreeMap, BTreeSet};

use super::lock_file;

/// How `cargo tree` has to print: each line begins with its depth.
pub const FORMAT: &str = "{p}|{l}|{r}";
/// The suffix of a crate whose dependencies were printed before.
const PRINTED_BEFORE: &str = " (*)";

/// A crate of one version.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Crate {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Its licence, as its author writes it; may be empty.
    pub license: String,
    /// Where its source is; may be empty.
    pub repository: String,
    /// Whether it is part of the workspace, and of no registry.
    pub is_local: bool,
    /// The keys of the crates it depends on.
    pub dependencies: BTreeSet<String>,
}

/// The key of a crate: name and version.
pub fn key(name: &str, version: &str) -> String {
    format!("{name}@{version}")
}

/// A line that `cargo tree` should not have printed.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("cannot understand what `cargo tree` says: `{0}`")]
pub struct TreeError(String);

/// Reads a tree. Returns the key of its root, and all crates by their keys.
///
/// # Errors
/// When a line is none of a tree.
pub fn read(text: &str) -> Result<(String, BTreeMap<String, Crate>), TreeError> {
    let mut crates: BTreeMap<String, Crate> = BTreeMap::new();
    let mut path: Vec<String> = Vec::new();
    for line in text.lines().filter(|line| !line.is_empty()) {
        let wrong = || TreeError(line.to_owned());
        let (depth, found) = read_line(line).ok_or_else(wrong)?;
        let key = key(&found.name, &found.version);
        if depth > path.len() || (depth == 0) != path.is_empty() {
            return Err(wrong());
        }
        path.truncate(depth);
        if let Some(parent) = path.last().and_then(|parent| crates.get_mut(parent)) {
            parent.dependencies.insert(key.clone());
        }
        path.push(key.clone());
        crates.entry(key).or_insert(found);
    }
    let root = path.into_iter().next().ok_or_else(|| TreeError(String::new()))?;
    Ok((root, crates))
}

fn read_line(line: &str) -> Option<(usize, Crate)> {
    let line = line.strip_suffix(PRINTED_BEFORE).unwrap_or(line);
    let digits = line.find(|character: char| !character.is_ascii_digit())?;
    let depth = line[..digits].parse().ok()?;
    let mut fields = line[digits..].split('|');
    let (package, license, repository) = (fields.next()?, fields.next()?, fields.next()?);
    let mut words = package.split(' ');
    Some((
        depth,
        Crate {
            name: words.next()?.to_owned(),
            version: words.next()?.strip_prefix('v')?.to_owned(),
            license: license.to_owned(),
            repository: repository.to_owned(),
            is_local: words.next().is_some(),
            dependencies: BTreeSet::new(),
        },
    ))
}

/// The SHA-256 of the archives of crates in Cargo.lock, by their keys.
pub fn checksums(lock: &str) -> BTreeMap<String, String> {
    let packages = lock_file::packages(lock).into_iter();
    packages
        .filter_map(|package| Some((key(&package.name, &package.version), package.checksum?)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_becomes_crates_and_what_they_depend_on() {
        let text = "0app v0.1.0 (/w/app)|Apache-2.0|\n1hyper v0.15.2|MIT|https://h\n2bytes v1.0.0|MIT|\n\
            1shared v0.1.0 (/w/shared)||\n2hyper v0.15.2|MIT|https://h (*)\n2bytes v0.9.0|MIT|\n";
        let (root, crates) = read(text).unwrap();
        assert_eq!(root, "app@0.1.0");
        let found: Vec<(&str, Vec<&str>, bool)> = crates
            .iter()
            .map(|(key, guest_crate)| {
                let dependencies = guest_crate.dependencies.iter().map(String::as_str).collect();
                (key.as_str(), dependencies, guest_crate.is_local)
            })
            .collect();
        assert_eq!(
            found,
            [
                ("app@0.1.0", vec!["hyper@0.15.2", "shared@0.1.0"], true),
                ("bytes@0.9.0", vec![], false),
                ("bytes@1.0.0", vec![], false),
                ("hyper@0.15.2", vec!["bytes@1.0.0"], false),
                ("shared@0.1.0", vec!["bytes@0.9.0", "hyper@0.15.2"], true),
            ]
        );
        assert_eq!(crates["hyper@0.15.2"].repository, "https://h");
    }

    #[test]
    fn what_is_no_tree_is_refused() {
        for text in [
            "",
            "app",
            "0app",
            "0app v1",
            "1app v1||",
            "0a v1||\n2b v1||",
            "0a v1||\n0b v1||",
        ] {
            assert!(read(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn the_lock_file_has_the_checksums_of_what_comes_from_registries() {
        let lock = "version = 4\n\n[[package]]\nname = \"app\"\nversion = \"0.1.0\"\ndependencies = [\n \"bytes\",\n]\n\n\
            [[package]]\nname = \"bytes\"\nversion = \"1.0.0\"\nsource = \"registry\"\nchecksum = \"ab\"\n";
        let expected = BTreeMap::from([("bytes@1.0.0".to_owned(), "ab".to_owned())]);
        assert_eq!(checksums(lock), expected);
    }
}
