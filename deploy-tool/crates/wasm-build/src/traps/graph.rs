//! Pure: the crates that go into a guest, by `cargo metadata`, or as far as the manifest and Cargo.lock tell them.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde::Deserialize;

use crate::workspace::Dependency;

/// A crate of a guest.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GuestCrate {
    /// Its name.
    pub name: String,
    /// Its version; the requirement of the manifest where nothing else is known.
    pub version: String,
    /// Its features that are on.
    pub features: BTreeSet<String>,
    /// The oldest compiler that it says it takes.
    pub rust_version: Option<String>,
    /// Whether it links a native library.
    pub links: bool,
    /// The crates that bring it, from the package's own dependency to itself.
    pub path: Vec<String>,
}

/// The crates of a guest.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GuestGraph {
    /// All that are linked into it: neither its tests' nor its build scripts', nor procedural macros.
    pub crates: Vec<GuestCrate>,
    /// Whether Cargo has resolved them for Wasm. Otherwise some may be for other targets alone, or missing.
    pub is_exact: bool,
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
    resolve: Option<Resolve>,
}

#[derive(Deserialize)]
struct Package {
    id: String,
    name: String,
    version: String,
    rust_version: Option<String>,
    links: Option<String>,
    targets: Vec<Target>,
}

#[derive(Deserialize)]
struct Target {
    kind: Vec<String>,
}

#[derive(Deserialize)]
struct Resolve {
    nodes: Vec<Node>,
}

#[derive(Deserialize)]
struct Node {
    id: String,
    deps: Vec<Edge>,
    #[serde(default)]
    features: BTreeSet<String>,
}

#[derive(Deserialize)]
struct Edge {
    pkg: String,
    dep_kinds: Vec<EdgeKind>,
}

#[derive(Deserialize)]
struct EdgeKind {
    kind: Option<String>,
}

impl GuestGraph {
    /// The crates of a package by `cargo metadata --filter-platform`; none where it has no such package or no resolution.
    ///
    /// # Errors
    /// When that is no such document.
    pub fn of_metadata(text: &str, package: &str) -> Result<Option<Self>, serde_json::Error> {
        let metadata: Metadata = serde_json::from_str(text)?;
        let packages: BTreeMap<&str, &Package> = metadata.packages.iter().map(|one| (one.id.as_str(), one)).collect();
        let Some(resolve) = &metadata.resolve else {
            return Ok(None);
        };
        let nodes: BTreeMap<&str, &Node> = resolve.nodes.iter().map(|node| (node.id.as_str(), node)).collect();
        // A member has no source: what a registry has under the same name is another crate.
        let root = metadata
            .packages
            .iter()
            .find(|one| one.name == package && one.id.starts_with("path+"));
        let Some(root) = root else {
            return Ok(None);
        };
        let is_macro = |package: &Package| {
            let mut kinds = package.targets.iter().flat_map(|target| &target.kind);
            kinds.any(|kind| kind == "proc-macro")
        };
        let mut waiting: VecDeque<(&str, Vec<String>)> = VecDeque::from([(root.id.as_str(), Vec::new())]);
        let mut seen: BTreeSet<&str> = BTreeSet::from([root.id.as_str()]);
        let mut crates = Vec::new();
        // Breadth first: the shortest way to each.
        while let Some((id, path)) = waiting.pop_front() {
            let edges = nodes.get(id).map(|node| node.deps.as_slice()).unwrap_or_default();
            let normal = edges
                .iter()
                .filter(|edge| edge.dep_kinds.iter().any(|kind| kind.kind.is_none()));
            for edge in normal {
                let Some(found) = packages.get(edge.pkg.as_str()).filter(|found| !is_macro(found)) else {
                    continue;
                };
                if !seen.insert(&found.id) {
                    continue;
                }
                let path = [path.clone(), vec![found.name.clone()]].concat();
                let features = nodes.get(found.id.as_str()).map(|node| node.features.clone());
                crates.push(GuestCrate {
                    name: found.name.clone(),
                    version: found.version.clone(),
                    features: features.unwrap_or_default(),
                    rust_version: found.rust_version.clone(),
                    links: found.links.is_some(),
                    path: path.clone(),
                });
                waiting.push_back((&found.id, path));
            }
        }
        Ok(Some(Self { crates, is_exact: true }))
    }

    /// The crates of a package by its manifest, and those that Cargo.lock says they bring, for whatever target.
    pub fn of_files<'d>(dependencies: impl IntoIterator<Item = &'d Dependency>, lock: &str) -> Self {
        let locked = locked(lock);
        let mut crates: BTreeMap<String, GuestCrate> = BTreeMap::new();
        let mut waiting = VecDeque::new();
        let direct = dependencies
            .into_iter()
            .filter(|one| one.is_of_guest() && !one.optional);
        for dependency in direct {
            let versions = locked.iter().filter(|(name, ..)| *name == dependency.name);
            let version = versions
                .map(|(_, version, _)| *version)
                .find(|version| dependency.takes(version));
            let version = version.unwrap_or(dependency.req.trim_start_matches(['^', '=', '~']));
            let found = GuestCrate {
                name: dependency.name.clone(),
                version: version.to_owned(),
                features: dependency.features.iter().cloned().collect(),
                path: vec![dependency.name.clone()],
                ..GuestCrate::default()
            };
            waiting.push_back(found.clone());
            crates.insert(format!("{} {}", found.name, found.version), found);
        }
        while let Some(from) = waiting.pop_front() {
            let entry = locked
                .iter()
                .find(|(name, version, _)| *name == from.name && *version == from.version);
            for (name, version) in entry.iter().flat_map(|(.., needs)| needs) {
                // Where there is one version, Cargo.lock leaves it out.
                let known = locked
                    .iter()
                    .find(|(known, of, _)| known == name && version.is_none_or(|version| version == *of));
                let Some((name, version, _)) = known else { continue };
                let key = format!("{name} {version}");
                if let Entry::Vacant(entry) = crates.entry(key) {
                    let found = GuestCrate {
                        name: (*name).to_owned(),
                        version: (*version).to_owned(),
                        path: [from.path.clone(), vec![(*name).to_owned()]].concat(),
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
        }
    }
}

type Locked<'l> = (&'l str, &'l str, Vec<(&'l str, Option<&'l str>)>);

/// Name, version and dependencies of each package.
fn locked(lock: &str) -> Vec<Locked<'_>> {
    let packages = lock.split("[[package]]").skip(1);
    let field = |package: &'_ str, name: &str| -> Option<(usize, usize)> {
        let start = package.find(&format!("\n{name} = \""))? + name.len() + 5;
        Some((start, start + package[start..].find('"')?))
    };
    packages
        .filter_map(|package| {
            let text = |(start, end): (usize, usize)| &package[start..end];
            let (name, version) = (field(package, "name").map(text)?, field(package, "version").map(text)?);
            let list = package.split_once("\ndependencies = [").map_or("", |(_, list)| list);
            let needs = list.split(']').next().unwrap_or_default().lines().filter_map(|line| {
                let mut words = line.trim_matches([' ', '"', ',']).split(' ');
                let name = words.next().filter(|name| !name.is_empty())?;
                Some((name, words.next()))
            });
            Some((name, version, needs.collect()))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_what_is_linked_is_of_the_guest_with_the_way_that_leads_there() {
        let package = |id: &str, kind: &str| {
            json!({"id": if id == "app" { "path+file:///app#0.1.0".to_owned() } else { id.to_owned() }, "name": id,
                "version": "1.0.0", "rust_version": null, "links": (id == "ssl-sys").then_some("ssl"),
                "targets": [{"kind": [kind]}]})
        };
        let edge = |to: &str, kind: Option<&str>| json!({"pkg": to, "dep_kinds": [{"kind": kind}]});
        let metadata = json!({
            "packages": [package("app", "bin"), package("web", "lib"), package("ssl-sys", "lib"), package("cc", "lib"),
                package("derive", "proc-macro"), package("check", "lib")],
            "resolve": {"nodes": [
                {"id": "path+file:///app#0.1.0", "features": [], "deps": [edge("web", None), edge("check", Some("dev"))]},
                {"id": "web", "features": ["tls"], "deps": [edge("ssl-sys", None), edge("derive", None), edge("cc", Some("build"))]},
                {"id": "ssl-sys", "features": [], "deps": [edge("web", None)]},
            ]},
        });
        let graph = GuestGraph::of_metadata(&metadata.to_string(), "app").unwrap().unwrap();
        let names: Vec<String> = graph.crates.iter().map(|found| found.path.join(" ")).collect();
        assert_eq!(names, ["web", "web ssl-sys"]);
        assert!(graph.crates[0].features.contains("tls") && graph.crates[1].links);
        assert_eq!(GuestGraph::of_metadata(&metadata.to_string(), "web").unwrap(), None);
    }

    #[test]
    fn without_crates_the_lock_file_tells_who_brings_whom() {
        let dependency = |name: &str, req: &str, more: serde_json::Value| {
            let mut value = json!({"name": name, "req": req, "kind": null, "path": null, "target": null, "optional": false,
                "features": ["x"], "uses_default_features": true, "rename": null});
            for (key, more) in more.as_object().unwrap() {
                value[key] = more.clone();
            }
            serde_json::from_value::<Dependency>(value).unwrap()
        };
        let dependencies = [
            dependency("web", "^1", json!({})),
            dependency("native", "^1", json!({"target": "cfg(not(target_os = \"wasi\"))"})),
            dependency("check", "^1", json!({"kind": "dev"})),
            dependency("more", "^1", json!({"optional": true})),
        ];
        let lock = "version = 4\n\n[[package]]\nname = \"web\"\nversion = \"0.9.0\"\n\n[[package]]\nname = \"web\"\nversion = \
            \"1.2.0\"\ndependencies = [\n \"ssl 2.0.0\",\n]\n\n[[package]]\nname = \"ssl\"\nversion = \"1.0.0\"\n\n[[package]]\n\
            name = \"ssl\"\nversion = \"2.0.0\"\n";
        let graph = GuestGraph::of_files(&dependencies, lock);
        let found: Vec<(String, &str)> = graph
            .crates
            .iter()
            .map(|found| (found.path.join(" "), found.version.as_str()))
            .collect();
        assert_eq!(found, [("web ssl".to_owned(), "2.0.0"), ("web".to_owned(), "1.2.0")]);
        assert!(!graph.is_exact);
    }
}
