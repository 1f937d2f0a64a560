//! Pure: the dependency graph of a guest, by `cargo tree`, or approximately by the manifest and Cargo.lock.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::PathBuf;

use serde::Deserialize;
use toml_edit::{Document, Item};

use crate::workspace::Dependency;

/// Where the sources of a crate are from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum CrateSource {
    /// A registry.
    #[default]
    Registry,
    /// A git repository, by its address: often a fork.
    Git(String),
    /// A folder of this host, as of what stands in for a crate of a registry by `[patch]`.
    Folder,
}

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
}

#[derive(Deserialize)]
struct Package {
    name: String,
    version: String,
    rust_version: Option<String>,
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
    pub fn of_tree(tree: &str, metadata: &str) -> Result<Self, serde_json::Error> {
        let metadata: Metadata = serde_json::from_str(metadata)?;
        let mut crates: BTreeMap<(&str, &str), GuestCrate> = BTreeMap::new();
        let mut path: Vec<String> = Vec::new();
        for (depth, name, version, source, features) in tree.lines().filter_map(read_line) {
            path.truncate(depth.saturating_sub(1));
            if depth == 0 {
                continue;
            }
            path.push(name.to_owned());
            let found = crates.entry((name, version)).or_insert_with(|| {
                let mut known = metadata.packages.iter();
                let package = known.find(|package| package.name == name && package.version == version);
                GuestCrate {
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
                    path: path.clone(),
                }
            });
            // The shortest path is the most helpful one.
            if path.len() < found.path.len() {
                found.path.clone_from(&path);
            }
        }
        Ok(Self {
            crates: crates.into_values().collect(),
            is_exact: true,
            ..Self::default()
        })
    }

    /// The crates of a package by its manifest, and those that Cargo.lock says they bring, for whatever target. `root`: the
    /// manifest of the workspace, whose `[patch]` says what stands in for crates of registries.
    pub fn of_files<'d>(dependencies: impl IntoIterator<Item = &'d Dependency>, lock: &str, root: &str) -> Self {
        let locked = locked(lock);
        let patches = patches(root);
        let source_of = |name: &str, locked: Option<&str>| match locked.and_then(|source| source.strip_prefix("git+")) {
            Some(address) => CrateSource::Git(without_commit(address)),
            None => patches.get(name).cloned().unwrap_or_default(),
        };
        let mut crates: BTreeMap<String, GuestCrate> = BTreeMap::new();
        let mut waiting = VecDeque::new();
        let direct = dependencies
            .into_iter()
            .filter(|dependency| dependency.is_of_guest() && !dependency.optional);
        for dependency in direct {
            let mut versions = locked.iter().filter(|package| package.name == dependency.name);
            let package = versions.find(|package| dependency.takes(package.version));
            let version = package.map_or(dependency.req.trim_start_matches(['^', '=', '~']), |package| {
                package.version
            });
            let known = package.map_or(dependency.source.as_deref(), |package| package.source);
            let found = GuestCrate {
                name: dependency.name.clone(),
                version: version.to_owned(),
                features: dependency.features.iter().cloned().collect(),
                source: source_of(&dependency.name, known),
                path: vec![dependency.name.clone()],
                ..GuestCrate::default()
            };
            waiting.push_back(found.clone());
            crates.insert(format!("{} {}", found.name, found.version), found);
        }
        while let Some(from) = waiting.pop_front() {
            let entry = locked
                .iter()
                .find(|package| package.name == from.name && package.version == from.version);
            for (name, version) in entry.iter().flat_map(|package| &package.needs) {
                // Where there is one version, Cargo.lock leaves it out.
                let known = locked
                    .iter()
                    .find(|package| package.name == *name && version.is_none_or(|version| version == package.version));
                let Some(package) = known else { continue };
                let key = format!("{} {}", package.name, package.version);
                if let Entry::Vacant(entry) = crates.entry(key) {
                    let found = GuestCrate {
                        name: package.name.to_owned(),
                        version: package.version.to_owned(),
                        source: source_of(package.name, package.source),
                        path: [from.path.clone(), vec![package.name.to_owned()]].concat(),
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
        let place = word.strip_prefix('(')?;
        match place.contains("://") {
            true => Some(CrateSource::Git(without_commit(place.trim_end_matches(')')))),
            false => place.starts_with('/').then_some(CrateSource::Folder),
        }
    });
    Some((depth, name, version, source.unwrap_or_default(), features))
}

/// The address of a git repository without branch and commit.
fn without_commit(address: &str) -> String {
    let end = address.find(['?', '#']).unwrap_or(address.len());
    address[..end].to_owned()
}

/// What stands in for crates of registries, by name:
/// <https://doc.rust-lang.org/cargo/reference/overriding-dependencies.html#the-patch-section>.
fn patches(root: &str) -> BTreeMap<String, CrateSource> {
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
struct LockedPackage<'l> {
    name: &'l str,
    version: &'l str,
    source: Option<&'l str>,
    needs: Vec<(&'l str, Option<&'l str>)>,
}

fn locked(lock: &str) -> Vec<LockedPackage<'_>> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_tree_tells_features_folders_and_the_shortest_way() {
        let tree = "0app v0.1.0 (/app)|\n1web v1.0.0|http,tls\n2data v2.0.0|\n3ssl-sys v0.9.0|\n2ssl-sys v0.9.0|\n\
            1data v2.0.0| (*)\n1web-stand-in v1.0.0 (/app/web)|\n\
            1web-fork v1.0.0 (https://example.org/web.git?branch=wasi#0123abcd)|\n1web-mirror v1.0.0 (registry `own`)|\n";
        let package = |name: &str, version: &str, links: Option<&str>| json!({"name": name, "version": version, "rust_version": "1.80", "links": links});
        let metadata = json!({"packages": [package("ssl-sys", "0.9.0", Some("ssl")), package("web", "1.0.0", None)]});
        let graph = GuestGraph::of_tree(tree, &metadata.to_string()).unwrap();
        let found: Vec<(String, usize, bool)> = graph
            .crates
            .iter()
            .map(|guest_crate| {
                (
                    guest_crate.path.join(" "),
                    guest_crate.features.len(),
                    guest_crate.links,
                )
            })
            .collect();
        let expected = [
            ("data", 0, false),
            ("web ssl-sys", 0, true),
            ("web", 2, false),
            ("web-fork", 0, false),
            ("web-mirror", 0, false),
            ("web-stand-in", 0, false),
        ];
        assert_eq!(
            found,
            expected.map(|(path, features, links)| (path.to_owned(), features, links))
        );
        assert_eq!(graph.crates[2].rust_version.as_deref(), Some("1.80"));
        let sources = graph.crates.iter().map(|guest_crate| guest_crate.source.clone());
        let fork = CrateSource::Git("https://example.org/web.git".to_owned());
        assert_eq!(
            sources.skip(3).collect::<Vec<_>>(),
            [fork, CrateSource::Registry, CrateSource::Folder]
        );
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
        let graph = GuestGraph::of_files(&dependencies, lock, "");
        let found: Vec<(String, &str)> = graph
            .crates
            .iter()
            .map(|found| (found.path.join(" "), found.version.as_str()))
            .collect();
        assert_eq!(found, [("web ssl".to_owned(), "2.0.0"), ("web".to_owned(), "1.2.0")]);
        assert!(!graph.is_exact);
    }

    #[test]
    fn what_stands_in_for_a_crate_is_told_by_patch_and_lock_file() {
        let root = "[dependencies]\nweb = \"1\"\n[patch.crates-io]\nweb = { git = \"https://example.org/web\", branch = \"wasi\" }\n\
            two = { package = \"ssl\", path = \"../ssl\" }\n";
        let dependency = |value: serde_json::Value| serde_json::from_value::<Dependency>(value).unwrap();
        let dependencies = [
            dependency(json!({"name": "web", "req": "^1"})),
            dependency(json!({"name": "ssl", "req": "^1"})),
            dependency(json!({"name": "data", "req": "*", "source": "git+https://example.org/data?rev=0123"})),
            dependency(json!({"name": "log", "req": "^1", "source": "registry+https://example.org/index"})),
        ];
        let sources = |lock: &str| -> Vec<(String, CrateSource)> {
            let graph = GuestGraph::of_files(&dependencies, lock, root);
            graph
                .crates
                .into_iter()
                .map(|found| (found.name, found.source))
                .collect()
        };
        let git = |name: &str| CrateSource::Git(format!("https://example.org/{name}"));
        let mut expected = vec![
            ("data".to_owned(), git("data")),
            ("log".to_owned(), CrateSource::Registry),
            ("ssl".to_owned(), CrateSource::Folder),
            ("web".to_owned(), git("web")),
        ];
        assert_eq!(sources(""), expected);
        let lock = "[[package]]\nname = \"web\"\nversion = \"1.2.0\"\nsource = \"git+https://example.org/web?branch=wasi#01\"\n\
            dependencies = [\n \"io\",\n]\n\n[[package]]\nname = \"io\"\nversion = \"1.0.0\"\n\
            source = \"git+https://example.org/io#02\"\n";
        expected.insert(1, ("io".to_owned(), git("io")));
        assert_eq!(sources(lock), expected);
    }
}
