//! Pure: the dependency graph of a guest, by `cargo tree`, or approximately by the manifest and Cargo.lock.

mod crate_source;
mod patches;

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::PathBuf;

use serde::Deserialize;

use self::crate_source::without_commit;
use self::patches::patches;
use crate::workspace::{Dependency, Workspace};
use oci_artifacts::bom::lock_file;

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

    /// The crates of a package by its manifest and those of the members that it depends on, and those that Cargo.lock says they
    /// bring, for whatever target. `root`: the manifest of the workspace, whose `[patch]` says what stands in for crates of
    /// registries.
    pub fn from_files<'d>(
        dependencies: impl IntoIterator<Item = &'d Dependency>,
        workspace: &'d Workspace,
        lock: &str,
        root: &str,
    ) -> Self {
        let locked = lock_file::packages(lock);
        let patches = patches(root);
        let source_of = |name: &str, locked: Option<&str>| match locked.and_then(|source| source.strip_prefix("git+")) {
            Some(address) => CrateSource::Git(without_commit(address)),
            None => patches.get(name).cloned().unwrap_or_default(),
        };
        let mut crates: BTreeMap<String, GuestCrate> = BTreeMap::new();
        let mut waiting = VecDeque::new();
        let mut manifests: VecDeque<(Vec<String>, Vec<&Dependency>)> =
            VecDeque::from([(Vec::new(), dependencies.into_iter().collect())]);
        while let Some((members, dependencies)) = manifests.pop_front() {
            let of_guest = dependencies
                .into_iter()
                .filter(|dependency| dependency.is_of_guest() && !dependency.optional);
            for dependency in of_guest {
                let mut versions = locked.iter().filter(|package| package.name == dependency.name);
                let package = versions.find(|package| dependency.takes(&package.version));
                let version = package.map_or(dependency.req.trim_start_matches(['^', '=', '~']), |package| {
                    package.version.as_str()
                });
                let known = package.map_or(dependency.source.as_deref(), |package| package.source.as_deref());
                let member = workspace.member(dependency);
                let found = GuestCrate {
                    name: dependency.name.clone(),
                    version: version.to_owned(),
                    features: dependency.features.iter().cloned().collect(),
                    source: match member {
                        Some(_) => CrateSource::Folder,
                        None => source_of(&dependency.name, known),
                    },
                    path: [members.as_slice(), std::slice::from_ref(&dependency.name)].concat(),
                    by_members: members.len() + usize::from(member.is_some()),
                    ..GuestCrate::default()
                };
                match crates.entry(format!("{} {}", found.name, found.version)) {
                    // Cargo turns on what any of them asks for.
                    Entry::Occupied(mut entry) => entry.get_mut().features.extend(found.features),
                    Entry::Vacant(entry) => {
                        match member {
                            Some(member) => {
                                manifests.push_back((found.path.clone(), member.dependencies.iter().collect()));
                            }
                            None => waiting.push_back(found.clone()),
                        }
                        entry.insert(found);
                    }
                }
            }
        }
        while let Some(from) = waiting.pop_front() {
            let entry = locked
                .iter()
                .find(|package| package.name == from.name && package.version == from.version);
            for dependency in entry.iter().flat_map(|package| &package.dependencies) {
                let known = locked
                    .iter()
                    .find(|package| dependency.is(&package.name, Some(&package.version)));
                let Some(package) = known else { continue };
                let key = format!("{} {}", package.name, package.version);
                if let Entry::Vacant(entry) = crates.entry(key) {
                    let found = GuestCrate {
                        name: package.name.clone(),
                        version: package.version.clone(),
                        source: source_of(&package.name, package.source.as_deref()),
                        path: [from.path.clone(), vec![package.name.clone()]].concat(),
                        by_members: from.by_members,
                        ..GuestCrate::default()
                    };
                    waiting.push_back(found.clone());
                    entry.insert(found);
                }
            }
        }
        Self {
            crates: crates.into_values().collect(),
            is_exact: false,
            ..Self::default()
        }
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
