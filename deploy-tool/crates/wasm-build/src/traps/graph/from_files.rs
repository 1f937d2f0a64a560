//! Pure: the dependency graph of a guest by manifests and Cargo.lock, without Cargo.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, VecDeque};

use super::crate_source::without_commit;
use super::patches::patches;
use super::{CrateSource, GuestCrate, GuestGraph};
use crate::workspace::{Dependency, Workspace};
use oci_artifacts::bom::lock_file::{self, LockedPackage};

impl GuestGraph {
    /// The crates of a package by its manifest and those of the members that it depends on, and those that Cargo.lock says they
    /// bring, for whatever target. `root`: the manifest of the workspace, whose `[patch]` says what stands in for crates of
    /// registries.
    pub fn from_files<'d>(
        dependencies: impl IntoIterator<Item = &'d Dependency>,
        workspace: &'d Workspace,
        lock: &str,
        root: &str,
    ) -> Self {
        let mut files = Files {
            workspace,
            locked: lock_file::packages(lock),
            patches: patches(root),
            crates: BTreeMap::new(),
        };
        let declared = files.add_declared(dependencies.into_iter().collect());
        files.add_locked(declared);
        Self {
            crates: files.crates.into_values().collect(),
            is_exact: false,
            ..Self::default()
        }
    }
}

/// What the files say, and the crates that were found in them, by name and version.
struct Files<'d> {
    workspace: &'d Workspace,
    locked: Vec<LockedPackage>,
    patches: BTreeMap<String, CrateSource>,
    crates: BTreeMap<(String, String), GuestCrate>,
}

impl<'d> Files<'d> {
    /// Adds what the manifests of a package and of the members that it depends on name. Returns those that are no members.
    fn add_declared(&mut self, dependencies: Vec<&'d Dependency>) -> VecDeque<GuestCrate> {
        let mut of_others = VecDeque::new();
        let mut manifests = VecDeque::from([(Vec::new(), dependencies)]);
        while let Some((members, dependencies)) = manifests.pop_front() {
            let of_guest = dependencies
                .into_iter()
                .filter(|dependency| dependency.is_of_guest() && !dependency.optional);
            for dependency in of_guest {
                let member = self.workspace.member(dependency);
                let found = self.declared(dependency, &members, member.is_some());
                match self.crates.entry((found.name.clone(), found.version.clone())) {
                    // Cargo turns on what any of them asks for.
                    Entry::Occupied(mut entry) => entry.get_mut().features.extend(found.features),
                    Entry::Vacant(entry) => {
                        match member {
                            Some(member) => {
                                manifests.push_back((found.path.clone(), member.dependencies.iter().collect()));
                            }
                            None => of_others.push_back(found.clone()),
                        }
                        entry.insert(found);
                    }
                }
            }
        }
        of_others
    }

    /// A crate that a manifest names; `members` are those from the package to that manifest.
    fn declared(&self, dependency: &Dependency, members: &[String], is_member: bool) -> GuestCrate {
        let mut versions = self.locked.iter().filter(|package| package.name == dependency.name);
        let package = versions.find(|package| dependency.takes(&package.version));
        let version = package.map_or(dependency.req.trim_start_matches(['^', '=', '~']), |package| {
            package.version.as_str()
        });
        let source = package.map_or(&dependency.source, |package| &package.source);
        GuestCrate {
            name: dependency.name.clone(),
            version: version.to_owned(),
            features: dependency.features.iter().cloned().collect(),
            source: if is_member {
                CrateSource::Folder
            } else {
                self.source(&dependency.name, source.as_deref())
            },
            path: [members, std::slice::from_ref(&dependency.name)].concat(),
            by_members: members.len() + usize::from(is_member),
            ..GuestCrate::default()
        }
    }

    /// Adds what Cargo.lock says that crates bring, and what those bring.
    fn add_locked(&mut self, mut waiting: VecDeque<GuestCrate>) {
        while let Some(from) = waiting.pop_front() {
            for package in self.brought_by(&from) {
                let found = GuestCrate {
                    name: package.name.clone(),
                    version: package.version.clone(),
                    source: self.source(&package.name, package.source.as_deref()),
                    path: [from.path.clone(), vec![package.name.clone()]].concat(),
                    by_members: from.by_members,
                    ..GuestCrate::default()
                };
                if let Entry::Vacant(entry) = self.crates.entry((package.name, package.version)) {
                    waiting.push_back(found.clone());
                    entry.insert(found);
                }
            }
        }
    }

    /// The packages that a crate depends on by Cargo.lock.
    fn brought_by(&self, from: &GuestCrate) -> Vec<LockedPackage> {
        let mut known = self.locked.iter();
        let entry = known.find(|package| package.name == from.name && package.version == from.version);
        let dependencies = entry.into_iter().flat_map(|package| &package.dependencies);
        let packages = dependencies.filter_map(|dependency| {
            let mut known = self.locked.iter();
            known.find(|package| dependency.is(&package.name, Some(&package.version)))
        });
        packages.cloned().collect()
    }

    fn source(&self, name: &str, locked: Option<&str>) -> CrateSource {
        match locked.and_then(|source| source.strip_prefix("git+")) {
            Some(address) => CrateSource::Git(without_commit(address)),
            None => self.patches.get(name).cloned().unwrap_or_default(),
        }
    }
}
