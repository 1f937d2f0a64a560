//! Arrows go one way only: between the crates as docs/architecture.md draws them, and among the files of each crate.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

type Graph = BTreeMap<String, BTreeSet<String>>;

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// The folder of each crate of this workspace, but for those of tests.
fn crates() -> Vec<PathBuf> {
    let inner = std::fs::read_dir(repository().join("deploy-tool/crates")).unwrap();
    let outer = ["deploy-tool", "deploy-tool/node-installer", "bench"].map(|path| repository().join(path));
    inner.map(|entry| entry.unwrap().path()).chain(outer).collect()
}

/// The folders of crates that the picture does not have: the services and what they are made of, and what tests share.
fn undrawn_crates() -> impl Iterator<Item = PathBuf> {
    let services = [
        "database-tls",
        "events",
        "microservice",
        "orders",
        "page",
        "pricing",
        "probe",
    ];
    let services = services.map(|name| format!("app/{name}"));
    let tests = ["e2e", "fuzz", "service-tests"].map(|name| format!("tests/{name}"));
    services.into_iter().chain(tests).map(|path| repository().join(path))
}

fn name(folder: &Path) -> String {
    folder.file_name().unwrap().to_str().unwrap().to_owned()
}

/// What each crate says in its manifest that it uses, but for its tests.
fn dependencies() -> BTreeMap<String, BTreeSet<String>> {
    let used = |folder: &PathBuf| {
        let manifest = std::fs::read_to_string(folder.join("Cargo.toml")).unwrap();
        let (_, after) = manifest.split_once("\n[dependencies]\n").unwrap_or_default();
        let section = after.split("\n[").next().unwrap();
        let names = section.lines().filter_map(|line| line.split([' ', '.', '=']).next());
        let names = names.filter(|name| !name.is_empty() && !name.starts_with('#'));
        (name(folder), names.map(str::to_owned).collect())
    };
    crates().iter().map(used).collect()
}

/// The edges that no longer way stands for.
fn reduced(graph: &Graph) -> Graph {
    let detour = |from: &String, to: &String| {
        let mut waiting: Vec<&String> = graph[from].iter().filter(|next| *next != to).collect();
        let mut seen = BTreeSet::new();
        while let Some(next) = waiting.pop() {
            if next == to {
                return true;
            }
            if seen.insert(next) {
                waiting.extend(&graph[next]);
            }
        }
        false
    };
    let kept = |(from, all): (&String, &BTreeSet<String>)| {
        let kept = all.iter().filter(|to| !detour(from, to)).cloned();
        (from.clone(), kept.collect())
    };
    graph.iter().map(kept).collect()
}

#[test]
fn the_drawn_arrows_are_those_of_the_manifests() {
    let all = dependencies();
    let ours = |names: &BTreeSet<String>| names.iter().filter(|name| all.contains_key(*name)).cloned().collect();
    let graph: Graph = all.iter().map(|(name, used)| (name.clone(), ours(used))).collect();
    let text = std::fs::read_to_string(repository().join("docs/architecture.md")).unwrap();
    let (_, drawing) = text.split_once("```mermaid\n").unwrap();
    let mut drawn: Graph = all.keys().map(|name| (name.clone(), BTreeSet::new())).collect();
    for line in drawing.split("```").next().unwrap().lines() {
        let Some((from, to)) = line.split_once(" --> ") else {
            continue;
        };
        let from = from.trim().split('[').next().unwrap();
        let to = to.split('&').map(|name| name.trim().to_owned());
        drawn
            .get_mut(from)
            .unwrap_or_else(|| panic!("no crate is called {from}"))
            .extend(to);
    }
    assert_eq!(drawn, reduced(&graph));
}

#[test]
fn what_others_use_brings_neither_a_client_nor_the_terminal() {
    let all = dependencies();
    for (name, forbidden) in [
        ("rollout", &["kube", "tokio", "futures", "terminal"] as &[&str]),
        ("oci-artifacts", &["kube", "k8s-openapi", "terminal", "host"]),
        ("terminal", &["rollout", "kube", "k8s-openapi"]),
        ("node-protocol", &["k8s-openapi", "tokio", "diagnostics"]),
    ] {
        let used = &all[name];
        assert!(
            forbidden.iter().all(|dependency| !used.contains(*dependency)),
            "{name} uses {used:?}"
        );
    }
}

/// The modules of a crate by their paths, and their text without comments, literals and tests.
fn modules(folder: &Path) -> BTreeMap<Vec<String>, String> {
    let (mut found, mut folders) = (BTreeMap::new(), vec![folder.join("src")]);
    while let Some(inner) = folders.pop() {
        for path in std::fs::read_dir(&inner).unwrap().map(|entry| entry.unwrap().path()) {
            let stem = path.file_stem().unwrap().to_str().unwrap().to_owned();
            if path.is_dir() {
                folders.extend(Some(path).filter(|_| !["tests", "bin"].contains(&stem.as_str())));
                continue;
            }
            if path.extension().is_none_or(|extension| extension != "rs") || ["tests", "main"].contains(&stem.as_str())
            {
                continue;
            }
            let inside = inner.strip_prefix(folder.join("src")).unwrap();
            let mut module: Vec<String> = inside.iter().map(|part| part.to_str().unwrap().to_owned()).collect();
            module.extend(Some(stem).filter(|stem| stem != "mod" && stem != "lib"));
            let text = std::fs::read_to_string(&path).unwrap();
            let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
            let lines = text.lines().map(|line| line.split("//").next().unwrap_or_default());
            found.insert(module, lines.collect::<Vec<_>>().join("\n"));
        }
    }
    found
}

/// `a::{b, c::{self, D as E}}` is `a::b`, `a::c` and `a::c::D`, each with the name it gets.
fn flattened(tree: &str) -> Vec<(String, String)> {
    let Some((before, inside)) = tree.split_once('{') else {
        let (path, alias) = tree.split_once(" as ").unwrap_or((tree, ""));
        let path = path.trim().trim_end_matches("::self");
        let last = path.rsplit("::").next().unwrap_or_default();
        let alias = if alias.is_empty() { last } else { alias.trim() };
        return vec![(path.to_owned(), alias.to_owned())];
    };
    let inside = inside.rsplit_once('}').map_or(inside, |(inside, _)| inside);
    let (mut parts, mut depth) = (vec![String::new()], 0);
    for character in inside.chars() {
        match character {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(String::new());
                continue;
            }
            _ => {}
        }
        parts.last_mut().unwrap().push(character);
    }
    let parts = parts.iter().map(|part| part.trim()).filter(|part| !part.is_empty());
    parts.flat_map(|part| flattened(&format!("{before}{part}"))).collect()
}

struct Crate {
    modules: BTreeMap<Vec<String>, String>,
    /// What each module offers under its name though another one has it.
    offered: BTreeMap<Vec<String>, BTreeMap<String, String>>,
}

impl Crate {
    /// A path in a module, from the crate's root; none where it leads out of the crate.
    fn absolute(&self, module: &[String], path: &str) -> Option<Vec<String>> {
        let mut parts: Vec<String> = path.split("::").map(|part| part.trim().to_owned()).collect();
        let mut base = module.to_vec();
        match parts[0].as_str() {
            "crate" => base.clear(),
            "self" => {}
            "super" => {
                base.pop();
            }
            _ => parts.insert(0, String::new()),
        }
        parts.remove(0);
        while parts.first().is_some_and(|part| part == "super") {
            base.pop();
            parts.remove(0);
        }
        let is_plain = !matches!(path.split("::").next(), Some("crate" | "self" | "super"));
        let whole = [base.clone(), parts.clone()].concat();
        let child = [base, parts.into_iter().take(1).collect()].concat();
        (!is_plain || self.modules.contains_key(&child)).then_some(whole)
    }

    /// The module that has what a path names.
    fn owner(&self, path: &[String]) -> Vec<String> {
        let known = (0..=path.len())
            .rev()
            .find(|length| self.modules.contains_key(&path[..*length]));
        let (module, rest) = path.split_at(known.unwrap_or_default());
        let offered = rest.first().and_then(|name| self.offered.get(module)?.get(name));
        match offered.and_then(|target| self.absolute(module, target)) {
            Some(target) if target != path => self.owner(&target),
            _ => module.to_vec(),
        }
    }

    /// Which modules a module uses. That it offers what others have is no use of it.
    fn uses(&self, module: &[String], text: &str) -> BTreeSet<Vec<String>> {
        let mut paths: Vec<String> = Vec::new();
        let mut code = String::new();
        for statement in text.split_inclusive(';') {
            let statement = format!("\n{}", statement.trim_end_matches(';'));
            let found = [("\nuse ", true), ("\npub use ", false)]
                .into_iter()
                .find_map(|(word, is_use)| Some((statement.split_once(word)?, is_use)));
            let Some(((before, tree), is_use)) = found else {
                code.push_str(&statement);
                continue;
            };
            code.push_str(before);
            if is_use {
                paths.extend(flattened(tree).into_iter().map(|(path, _)| path));
            }
        }
        let is_path = |character: char| character.is_alphanumeric() || character == '_' || character == ':';
        let words = code.split(|character| !is_path(character));
        paths.extend(
            words
                .filter(|word| word.contains("::") && !word.starts_with("::"))
                .map(str::to_owned),
        );
        let targets = paths.iter().filter_map(|path| self.absolute(module, path));
        let owners = targets.map(|target| self.owner(&target));
        owners
            .filter(|owner| owner != module && self.modules.contains_key(owner))
            .collect()
    }
}

fn read(folder: &Path) -> Crate {
    let modules = modules(folder);
    let offered = modules.iter().map(|(module, text)| {
        let trees = text
            .split(';')
            .filter_map(|statement| statement.trim().strip_prefix("pub use "));
        let names = trees.flat_map(flattened).map(|(path, name)| (name, path));
        (module.clone(), names.collect())
    });
    let offered = offered.collect();
    Crate { modules, offered }
}

/// A way from a module back to itself.
fn cycle(graph: &BTreeMap<Vec<String>, BTreeSet<Vec<String>>>) -> Option<Vec<String>> {
    fn walk<'g>(
        graph: &'g BTreeMap<Vec<String>, BTreeSet<Vec<String>>>,
        module: &'g Vec<String>,
        way: &mut Vec<&'g Vec<String>>,
        done: &mut BTreeSet<&'g Vec<String>>,
    ) -> Option<Vec<String>> {
        if let Some(start) = way.iter().position(|known| *known == module) {
            return Some(way[start..].iter().map(|part| part.join("::")).collect());
        }
        if !done.contains(module) {
            way.push(module);
            let found = graph[module].iter().find_map(|next| walk(graph, next, way, done));
            way.pop();
            done.insert(module);
            return found;
        }
        None
    }
    let mut done = BTreeSet::new();
    graph
        .keys()
        .find_map(|module| walk(graph, module, &mut Vec::new(), &mut done))
}

#[test]
fn no_file_uses_one_that_uses_it() {
    for folder in crates().into_iter().chain(undrawn_crates()) {
        let read = read(&folder);
        let graph = read
            .modules
            .iter()
            .map(|(module, text)| (module.clone(), read.uses(module, text)));
        let found = cycle(&graph.collect());
        assert_eq!(found, None, "in {}", name(&folder));
    }
}

/// The check itself sees what it is made for.
#[test]
fn a_cycle_is_found_through_what_a_folder_offers() {
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join("src");
    std::fs::create_dir_all(source.join("a")).unwrap();
    for (path, text) in [
        ("lib.rs", "mod a;\nmod b;\n"),
        ("a/mod.rs", "mod c;\n\npub use c::C;\n"),
        ("a/c.rs", "use crate::b::B;\n"),
        ("b.rs", "use super::a::{self, C};\n"),
    ] {
        std::fs::write(source.join(path), text).unwrap();
    }
    let uses = || {
        let read = read(folder.path());
        let graph = read
            .modules
            .iter()
            .map(|(module, text)| (module.clone(), read.uses(module, text)));
        cycle(&graph.collect())
    };
    assert_eq!(uses(), Some(vec!["a::c".to_owned(), "b".to_owned()]));
    std::fs::write(source.join("b.rs"), "pub struct B;\n").unwrap();
    assert_eq!(uses(), None);
}
