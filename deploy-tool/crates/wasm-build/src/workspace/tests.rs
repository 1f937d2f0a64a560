use super::*;
use serde_json::{Value, json};

fn package(name: &str, kind: &str, dependencies: &[&str]) -> Value {
    let dependency = |path| json!({"name": "d", "path": path, "kind": null});
    json!({
        "name": name, "manifest_path": format!("/w/{name}/Cargo.toml"),
        "targets": [{"name": name, "kind": [kind], "src_path": format!("/w/{name}/src/x.rs")}],
        "dependencies": dependencies.iter().map(dependency).collect::<Vec<_>>(),
    })
}

fn workspace() -> Workspace {
    let mut app = package("app", "bin", &["/w/shared", "/w/tool"]);
    app["dependencies"][1]["kind"] = json!("dev");
    serde_json::from_value(json!({
        "workspace_root": "/w",
        "packages": [
            app, package("shared", "lib", &["/w/money"]),
            package("money", "lib", &["/w/shared"]), package("tool", "bin", &[]),
        ],
    }))
    .unwrap()
}

#[test]
fn a_module_is_made_of_the_members_it_depends_on() {
    let workspace = workspace();
    let names: Vec<_> = workspace
        .package_sources("app", "")
        .unwrap()
        .iter()
        .map(|package| package.name.as_str())
        .collect();
    assert_eq!(names, ["app", "shared", "money"]);
}

#[test]
fn a_module_starts_from_the_library_and_the_binary_of_the_packages_name() {
    let with_targets = |targets: &[(&str, &str)]| -> Package {
        let target =
            |(name, kind): &(&str, &str)| json!({"name": name, "kind": [kind], "src_path": format!("{kind}/{name}")});
        let mut shop = package("shop", "bin", &[]);
        shop["targets"] = targets.iter().map(target).collect();
        serde_json::from_value(shop).unwrap()
    };
    let paths = |sources: Vec<&Path>| {
        sources
            .iter()
            .map(|path| path.display().to_string())
            .collect::<Vec<_>>()
    };
    let others = [
        ("x", "test"),
        ("x", "example"),
        ("build", "custom-build"),
        ("m", "proc-macro"),
    ];
    let shop = with_targets(&[&[("shop", "cdylib"), ("seed", "bin"), ("shop", "bin")], &others[..]].concat());
    assert_eq!(paths(shop.module_sources().collect()), ["cdylib/shop", "bin/shop"]);
    assert_eq!(paths(shop.library_sources().collect()), ["cdylib/shop"]);
    let unclear = with_targets(&[("one", "bin"), ("two", "bin")]);
    assert_eq!(paths(unclear.module_sources().collect()), ["bin/one", "bin/two"]);
    assert_eq!(unclear.library_sources().count(), 0);
}

#[test]
fn members_that_stand_in_for_packages_of_a_registry_are_sources() {
    let mut regex = package("regex", "lib", &["/w/engine"]);
    regex["version"] = json!("1.13.0");
    let packages = json!([package("app", "bin", &[]), regex, package("engine", "lib", &[])]);
    let workspace = json!({"workspace_root": "/w", "packages": packages});
    let workspace: Workspace = serde_json::from_value(workspace).unwrap();
    let sources = |driver: &str| {
        let lock = format!("[[package]]\nname = \"driver\"\nversion = \"1.0.0\"\n{driver}\n]\n");
        let found = workspace.package_sources("app", &lock).unwrap();
        found
            .iter()
            .map(|package| package.name.clone())
            .collect::<Vec<_>>()
            .join(" ")
    };
    let from = "source = \"registry+https://example.org/index\"\ndependencies = [\n \"";
    assert_eq!(sources(&format!("{from}regex\",")), "app regex engine");
    assert_eq!(sources(&format!("{from}regex 1.13.0\",")), "app regex engine");
    assert_eq!(sources(&format!("{from}regex 1.12.0\",")), "app");
    assert_eq!(sources(&format!("{from}regex-lite\",")), "app");
    assert_eq!(sources("dependencies = [\n \"regex\","), "app");
}

#[test]
fn what_cargo_knows_is_said_of_the_image() {
    let mut app = package("app", "bin", &[]);
    app["version"] = json!("1.2.0");
    app["license"] = json!("Apache-2.0");
    app["repository"] = Value::Null;
    let app: Package = serde_json::from_value(app).unwrap();
    let annotations: Vec<(String, String)> = app.annotations().into_iter().collect();
    let expected = [("licenses", "Apache-2.0"), ("title", "app"), ("version", "1.2.0")];
    assert_eq!(
        annotations,
        expected.map(|(key, value)| (format!("org.opencontainers.image.{key}"), value.to_owned()))
    );
}

#[test]
fn members_beside_the_workspace_are_in_its_base() {
    let beside = |folder: &str| {
        let workspace = json!({"workspace_root": folder, "packages": [package("app", "bin", &[])]});
        serde_json::from_value::<Workspace>(workspace).unwrap()
    };
    assert_eq!(beside("/w").base(), Path::new("/w"));
    let workspace = beside("/w/guests");
    assert_eq!(workspace.base(), Path::new("/w"));
    assert_eq!(
        workspace.relative(Path::new("/w/app/src/x.rs")),
        Some(Path::new("app/src/x.rs"))
    );
    assert_eq!(workspace.relative(Path::new("/elsewhere/x.rs")), None);
}

#[test]
fn says_what_there_is_instead() {
    let workspace = workspace();
    let error = workspace.package_sources("ap", "").unwrap_err();
    assert_eq!(
        error.to_string(),
        "the workspace has no package `ap`; it has: app, shared, money, tool"
    );
    assert_eq!(
        workspace.package_sources("shared", "").unwrap_err(),
        WorkspaceError::NoBinary(
            "shared".into(),
            "it has none, and a module is made of one: src/main.rs".into()
        )
    );
}

/// Cargo reads all of a workspace, whatever of it is compiled.
#[test]
fn what_is_outside_is_told_before_the_builder_misses_it() {
    let dependency = |path: &str, kind: Option<&str>| Dependency {
        name: "lib".into(),
        path: Some(path.into()),
        kind: kind.map(str::to_owned),
        ..Dependency::default()
    };
    let elsewhere = |owner: &str| WorkspaceError::Elsewhere(owner.into(), "lib".into(), "/elsewhere/lib".into());
    // The last one is of `tool`, which the module does not use.
    for (member, owner, kind) in [(0, "app", None), (0, "app", Some("dev")), (3, "tool", None)] {
        let mut workspace = workspace();
        workspace.packages[member]
            .dependencies
            .push(dependency("/elsewhere/lib", kind));
        assert_eq!(workspace.package_sources("app", "").unwrap_err(), elsewhere(owner));
    }
    let mut workspace = workspace();
    workspace.packages[0]
        .dependencies
        .push(dependency("/w/vendor/lib", None));
    let sources = workspace.package_sources("app", "").unwrap();
    assert_eq!(sources.len(), 3, "{sources:?}");
    let patched = |folder: &str| PathCrate {
        owner: path_crate::PATCH.into(),
        manifest: "/w/Cargo.toml".into(),
        name: "lib".into(),
        folder: folder.into(),
    };
    workspace.path_crates = vec![patched("/w/patches/lib"), patched("/elsewhere/lib")];
    assert_eq!(workspace.package_sources("app", "").unwrap_err(), elsewhere("[patch]"));
    let inner: Vec<&Path> = workspace.inner_folders().collect();
    assert_eq!(inner, [Path::new("/w/patches/lib")]);
}
