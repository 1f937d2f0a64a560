use super::*;
use crate::workspace::{Dependency, Workspace};
use serde_json::{Value, json};

/// With members by their names and dependencies.
fn workspace(members: &[(&str, Value)]) -> Workspace {
    let member = |(name, dependencies): &(&str, Value)| json!({"name": name, "manifest_path": format!("/w/{name}/Cargo.toml"), "targets": [], "dependencies": dependencies});
    let packages: Vec<Value> = members.iter().map(member).collect();
    serde_json::from_value(json!({"workspace_root": "/w", "packages": packages})).unwrap()
}

#[test]
fn the_tree_tells_features_folders_and_the_shortest_way() {
    let tree = "0app v0.1.0 (/app)|\n1web v1.0.0|http,tls\n2data v2.0.0|\n3ssl-sys v0.9.0|\n2ssl-sys v0.9.0|\n\
        1data v2.0.0| (*)\n1web-stand-in v1.0.0 (/app/web)|\n\
        1web-fork v1.0.0 (https://example.org/web.git?branch=wasi#0123abcd)|\n1web-mirror v1.0.0 (registry `own`)|\n";
    let package = |name: &str, version: &str, links: Option<&str>| json!({"name": name, "version": version, "rust_version": "1.80", "links": links});
    let metadata = json!({"packages": [package("ssl-sys", "0.9.0", Some("ssl")), package("web", "1.0.0", None)]});
    let graph = GuestGraph::from_tree(tree, &metadata.to_string()).unwrap();
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
    let dependency = |name: &str, req: &str, more: Value| {
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
    let graph = GuestGraph::from_files(&dependencies, &workspace(&[]), lock, "");
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
    let dependency = |value: Value| serde_json::from_value::<Dependency>(value).unwrap();
    let dependencies = [
        dependency(json!({"name": "web", "req": "^1"})),
        dependency(json!({"name": "ssl", "req": "^1"})),
        dependency(json!({"name": "data", "req": "*", "source": "git+https://example.org/data?rev=0123"})),
        dependency(json!({"name": "log", "req": "^1", "source": "registry+https://example.org/index"})),
    ];
    let sources = |lock: &str| -> Vec<(String, CrateSource)> {
        let graph = GuestGraph::from_files(&dependencies, &workspace(&[]), lock, root);
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

/// What a member depends on is the user's own, however many members are before it.
#[test]
fn what_members_bring_is_own() {
    let tree = "0app v0.1.0 (/w/app)|\n1web v1.0.0|\n2tokio v1.0.0|net\n1common v0.1.0 (/w/common)|\n2deep v0.1.0 (/w/deep)|\n\
        3tokio v1.0.0|net (*)\n3ssl v1.0.0|\n4ssl-sys v1.0.0|\n";
    let package = |name: &str, version: &str| json!({"name": name, "version": version, "id": name});
    let packages: Vec<Value> = ["app", "common", "deep"].map(|name| package(name, "0.1.0")).into();
    let metadata = json!({"packages": packages, "workspace_members": ["app", "common", "deep"]});
    let found = |graph: GuestGraph| -> Vec<(String, bool)> {
        let crates = graph.crates.into_iter();
        crates.map(|one| (one.path.join(" "), one.is_own())).collect()
    };
    let expected = [
        ("common", true),
        ("common deep", true),
        ("common deep ssl", true),
        ("common deep ssl ssl-sys", false),
        ("common deep tokio", true),
        ("web", true),
    ]
    .map(|(path, is_own)| (path.to_owned(), is_own));
    assert_eq!(
        found(GuestGraph::from_tree(tree, &metadata.to_string()).unwrap()),
        expected
    );

    let dependency = |name: &str, path: Option<&str>| json!({"name": name, "req": "^1", "path": path});
    let tokio = |feature: &str| json!({"name": "tokio", "req": "^1", "features": [feature]});
    let workspace = workspace(&[
        (
            "app",
            json!([dependency("common", Some("/w/common")), dependency("web", None)]),
        ),
        ("common", json!([dependency("deep", Some("/w/deep")), tokio("sync")])),
        (
            "deep",
            json!([
                dependency("ssl", None),
                tokio("net"),
                dependency("common", Some("/w/common"))
            ]),
        ),
    ]);
    let lock = "[[package]]\nname = \"ssl\"\nversion = \"1.0.0\"\ndependencies = [\n \"ssl-sys\",\n]\n\n[[package]]\n\
        name = \"ssl-sys\"\nversion = \"1.0.0\"\n";
    let graph = GuestGraph::from_files(&workspace.packages[0].dependencies, &workspace, lock, "");
    let tokio = graph.crates.iter().find(|one| one.name == "tokio").unwrap();
    assert_eq!(tokio.features, BTreeSet::from(["net".to_owned(), "sync".to_owned()]));
    let mut expected = expected.to_vec();
    expected[4].0 = "common tokio".to_owned();
    assert_eq!(found(graph), expected);
}
