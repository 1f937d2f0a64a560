//! Pure: the dependency graph of a guest, by `cargo tree`, or approximately by the manifest and Cargo.lock.

mod crate_source;
mod from_files;
mod patches;

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use serde::Deserialize;

use self::crate_source::without_commit;

pub use self::crate_source::CrateSource;

/// A crate of a guest.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GuestCrate {
    /// Its name.
    pub name: String,
    /// Its version; the requirement of the manifest where nothing else is known.
    pub version: String,
    /// Its features that are on.
    pub features: BTreeSet<String>,
    /// Its `rust-version`.
    pub rust_version: Option<String>,
    /// Whether it links a native library.
    pub links: bool,
    /// The source of its build script.
    pub build_script: Option<PathBuf>,
    /// What its build script does with C code, whatever is compiled.
    pub native_code: Option<String>,
    /// Where its sources are from. What is known of a crate by its name is so of those of a registry alone.
    pub source: CrateSource,
    /// The crates that bring it, from the package's own dependency to itself.
    pub path: Vec<String>,
    /// How many crates at the start of the path are members of the workspace, itself among them where it is one.
    pub by_members: usize,
}

impl GuestCrate {
    /// Whether it is a dependency in a manifest of the workspace, or a member.
    pub fn is_own(&self) -> bool {
        self.path.len() <= self.by_members + 1
    }

    /// Those of some features that are on.
    pub fn features_among(&self, names: &[&'static str]) -> Vec<&'static str> {
        let found = names.iter().filter(|name| self.features.contains(**name));
        found.copied().collect()
    }

    /// The way to it that helps most: of those by the fewest crates of others, the shortest one.
    fn distance(&self) -> (usize, usize) {
        (self.path.len() - self.by_members, self.path.len())
    }
}

/// The crates of a guest.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GuestGraph {
    /// All that are linked into it: neither its tests' nor its build scripts', nor procedural macros.
    pub crates: Vec<GuestCrate>,
    /// Those that are compiled for the compiler itself alone, where Cargo has resolved them.
    pub of_build: Vec<GuestCrate>,
    /// Whether Cargo has resolved them for Wasm. Otherwise some may be for other targets alone, or missing.
    pub is_exact: bool,
}

/// How `cargo tree` has to print, with `--prefix=depth`: package and features.
pub const FORMAT: &str = "{p}|{f}";

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
    /// Their ids.
    #[serde(default)]
    workspace_members: Vec<String>,
}

impl Metadata {
    fn is_member(&self, package: &Package) -> bool {
        package
            .id
            .as_ref()
            .is_some_and(|id| self.workspace_members.contains(id))
    }
}

#[derive(Deserialize)]
struct Package {
    name: String,
    version: String,
    rust_version: Option<String>,
    id: Option<String>,
    links: Option<String>,
    #[serde(default)]
    targets: Vec<Target>,
}

#[derive(Deserialize)]
struct Target {
    kind: Vec<String>,
    src_path: PathBuf,
}

impl Package {
    fn build_script(&self) -> Option<PathBuf> {
        let is_script = |target: &&Target| target.kind.iter().any(|kind| kind == "custom-build");
        self.targets
            .iter()
            .find(is_script)
            .map(|target| target.src_path.clone())
    }
}

impl GuestGraph {
    /// The graph by `cargo tree`, which resolves the features of one target, with the facts of `cargo metadata` about each crate.
    ///
    /// # Errors
    /// When `metadata` is no such document.
    pub fn from_tree(tree: &str, metadata: &str) -> Result<Self, serde_json::Error> {
        let metadata: Metadata = serde_json::from_str(metadata)?;
        let mut crates: BTreeMap<(&str, &str), GuestCrate> = BTreeMap::new();
        // Each with whether it is a member.
        let mut path: Vec<(String, bool)> = Vec::new();
        for (depth, name, version, source, features) in tree.lines().filter_map(read_line) {
            path.truncate(depth.saturating_sub(1));
            if depth == 0 {
                continue;
            }
            let mut known = metadata.packages.iter();
            let package = known.find(|package| package.name == name && package.version == version);
            path.push((
                name.to_owned(),
                package.is_some_and(|package| metadata.is_member(package)),
            ));
            let found = GuestCrate {
                name: name.to_owned(),
                version: version.to_owned(),
                features: features
                    .split(',')
                    .filter(|feature| !feature.is_empty())
                    .map(str::to_owned)
                    .collect(),
                rust_version: package.and_then(|package| package.rust_version.clone()),
                links: package.is_some_and(|package| package.links.is_some()),
                build_script: package.and_then(Package::build_script),
                native_code: None,
                source,
                path: path.iter().map(|(name, _)| name.clone()).collect(),
                by_members: path.iter().take_while(|(_, is_member)| *is_member).count(),
            };
            match crates.entry((name, version)) {
                Entry::Vacant(entry) => {
                    entry.insert(found);
                }
                Entry::Occupied(mut entry) if found.distance() < entry.get().distance() => {
                    entry.get_mut().by_members = found.by_members;
                    entry.get_mut().path = found.path;
                }
                Entry::Occupied(_) => {}
            }
        }
        Ok(Self {
            crates: crates.into_values().collect(),
            is_exact: true,
            ..Self::default()
        })
    }
}

/// Depth, name, version, source and features of a line of `cargo tree`.
fn read_line(line: &str) -> Option<(usize, &str, &str, CrateSource, &str)> {
    let line = line.strip_suffix(" (*)").unwrap_or(line);
    let digits = line.find(|character: char| !character.is_ascii_digit())?;
    let depth = line[..digits].parse().ok()?;
    let (package, features) = line[digits..].split_once('|')?;
    let mut words = package.split(' ');
    let (name, version) = (words.next()?, words.next()?.strip_prefix('v')?);
    // Of another registry it is "(registry `NAME`)".
    let source = words.find_map(|word| {
        let source = word.strip_prefix('(')?;
        if source.contains("://") {
            Some(CrateSource::Git(without_commit(source.trim_end_matches(')'))))
        } else {
            source.starts_with('/').then_some(CrateSource::Folder)
        }
    });
    Some((depth, name, version, source.unwrap_or_default(), features))
}

#[cfg(test)]
mod tests;
