//! The face of the tool: help, bad input, exit codes. No cluster and no Docker engine is needed.

#![allow(clippy::unwrap_used, clippy::panic)]

mod run;
mod unavailable;

use std::path::Path;

use run::{Run, output_of};

const VERBS: &[&[&str]] = &[
    &[],
    &["plan"],
    &["cluster", "up"],
    &["cluster", "down"],
    &["build"],
    &["up"],
    &["status"],
    &["scale"],
    &["restart"],
    &["logs"],
    &["open"],
    &["down"],
];

/// A full disk behind `deploy-tool … > FILE` is no success.
#[test]
fn data_that_cannot_be_written_is_a_failure() {
    let run = Run::new();
    let full = || std::fs::File::options().write(true).open("/dev/full").unwrap();
    for arguments in [
        &["explain", "DT0301"][..],
        &["version", "--output", "json"],
        &["completion", "bash"],
    ] {
        output_of(run.command(arguments).stdout(full())).fails(3, &["the standard output cannot be written"]);
    }
}

/// A container with a read-only file system deploys all the same.
#[test]
fn without_a_cache_folder_a_temporary_one_serves() {
    let run = Run::new();
    let file = run.file("file", "");
    for (name, value) in [("HOME", ""), ("HOME", &file), ("XDG_CACHE_HOME", &file)] {
        let mut command = run.command(&["restart", "--namespace", "shop"]);
        command.env_remove("DEPLOY_TOOL_CACHE").env(name, value);
        // Without a home the user's own would be read.
        output_of(command.env("KUBECONFIG", run.path("none"))).fails(
            1,
            &["cache", "DEPLOY_TOOL_CACHE names a folder that stays", "has no context"],
        );
    }
}

#[test]
fn every_help_lists_the_exit_codes() {
    for &verb in VERBS {
        let said = Run::new().run(&[verb, &["--help"]].concat());
        assert_eq!((said.code, said.stderr.as_str()), (0, ""), "{verb:?}");
        for code in [
            "0    done",
            "1    your input",
            "2    the cluster",
            "3    this host",
            "4    another",
            "10   plan --exit-code",
            "130  interrupted",
        ] {
            assert!(
                said.stdout.contains(code),
                "{verb:?}: `{code}` is missing in:\n{}",
                said.stdout
            );
        }
    }
}

#[test]
fn what_touches_a_cluster_defaults_to_the_demonstration_and_never_to_the_current_context() {
    for verb in ["up", "status", "scale", "restart", "down"] {
        let said = Run::new().run(&[verb, "--help"]);
        assert!(
            said.stdout.contains("[default: kind-wasm-demo]"),
            "{verb}:\n{}",
            said.stdout
        );
    }
    let run = Run::new();
    run.kubeconfig("production", "https://127.0.0.1:1");
    for arguments in [
        &["status"] as &[&str],
        &["up"],
        &["down"],
        &["scale", "1"],
        &["restart"],
    ] {
        run.run(arguments).fails(
            1,
            &[
                "no context `kind-wasm-demo`",
                "it has: production",
                "deploy-tool cluster up",
            ],
        );
    }
}

#[test]
fn wrong_arguments_are_refused_before_anything_happens() {
    let cases: &[&[&str]] = &[
        &["frobnicate"],
        &["scale"],
        &["scale", "-1"],
        &["scale", "1001"],
        &["scale", "many"],
        &["scale", "app=1", "other"],
        &["restart", "node/a"],
        &["open", "--port", "http"],
        &["logs", "--follow", "--previous"],
        &["up", "--timeout", "soon"],
        &["up", "--timeout", "0s"],
        &["status", "--output", "yaml"],
        &["cluster", "up", "--http-port", "0"],
        &["cluster", "up", "--http-port", "65536"],
        &["build", "--module", "app.wasm", "--aot", "none"],
    ];
    for arguments in cases {
        let run = Run::new();
        run.run(arguments).fails(1, &["--help"]);
        assert!(!run.path("cache").exists(), "{arguments:?} left something behind");
    }
}

#[test]
fn manifests_that_cannot_be_used() {
    let run = Run::new();
    let object = "apiVersion: v1\nkind: Namespace\nmetadata: {name: a}\n";
    run.file("broken/a.yaml", &format!("{object}---\nkind: [\n"));
    run.file("twice/a.yaml", &format!("{object}---\n{object}"));
    run.file(
        "latest/a.yaml",
        "apiVersion: v1\nkind: X\nmetadata: {name: a}\nspec: {template: {spec: {containers: [{image: x:latest}]}}}\n",
    );
    run.file("empty/README.md", "");
    let cases = [
        ("broken", ["a.yaml` cannot be used", "line 5"]),
        ("twice", ["Namespace `a` is there twice", "a.yaml:5"]),
        ("latest", ["x:latest", "a.yaml:1"]),
        ("empty", ["there are no manifests", "--manifests"]),
        ("absent", ["cannot read the manifests", "--manifests"]),
    ];
    for (folder, parts) in cases {
        let folder = run.path(folder).display().to_string();
        run.run(&["up", "--manifests", &folder]).fails(1, &parts);
    }
}

#[test]
fn a_cluster_configuration_that_cannot_be_used() {
    let run = Run::new();
    let broken = run.file("kind.yaml", "kind: [");
    run.run(&["cluster", "up", "--config", &broken])
        .fails(1, &["kind.yaml", "line 1"]);
    run.run(&["cluster", "up", "--config", "absent.yaml"])
        .fails(1, &["absent.yaml", "--config"]);
}

#[test]
fn one_at_a_time_on_one_cluster() {
    let run = Run::new();
    let cache = host::cache::Cache::at(&run.path("cache")).unwrap();
    let _held = host::lock::release(&cache, "kind-wasm-demo", "orders/orders", "up").unwrap();
    for arguments in [
        &["up"] as &[&str],
        &["down"],
        &["scale", "1"],
        &["restart"],
        &["cluster", "up"],
        &["cluster", "down"],
    ] {
        run.run(arguments)
            .fails(4, &["is locked by another deploy-tool", "`deploy-tool up`, process"]);
    }
}

#[test]
fn a_cache_that_cannot_be_made() {
    let run = Run::new();
    let file = run.file("file", "");
    output_of(run.command(&["build"]).env("DEPLOY_TOOL_CACHE", file))
        .fails(3, &["cannot make the cache folder", "DEPLOY_TOOL_CACHE"]);
    output_of(
        run.command(&["build"])
            .env_remove("HOME")
            .env_remove("DEPLOY_TOOL_CACHE"),
    )
    .fails(1, &["no place for the cache"]);
}

#[test]
fn an_image_that_is_not_defined() {
    Run::new()
        .run(&["build", "no-such-image"])
        .fails(1, &["oci/no-such-image/image.yaml", "--images"]);
}

#[test]
fn the_only_image_is_meant_where_none_is_named() {
    let run = Run::new();
    run.file("one/shop/image.yaml", "package: [");
    run.file("one/services", "");
    run.file("two/events/image.yaml", "");
    run.file("two/shop/image.yaml", "");
    let images = |folder: &str| run.path(folder).display().to_string();
    run.run(&["build", "--images", &images("one")])
        .fails(1, &["one/shop/image.yaml` cannot be used"]);
    for verb in [&["build"][..], &["push", "--to", "localhost:1/shop"]] {
        run.run(&[verb, &["--images", &images("two")]].concat()).fails(
            1,
            &[
                "it is not clear which image is meant",
                "events, shop",
                "name one: `events`",
            ],
        );
    }
}

/// Neither Docker nor a compiler takes part.
#[test]
fn a_module_that_is_given_is_packed_as_it_is() {
    let run = Run::new();
    // A function without parameters and results, exported as `_start`, and a memory.
    let module = b"\0asm\x01\0\0\0\x01\x04\x01\x60\0\0\x03\x02\x01\0\x05\x03\x01\0\x01\
        \x07\x13\x02\x06_start\0\0\x06memory\x02\0\x0a\x04\x01\x02\0\x0b";
    let path = run.path("given.wasm");
    // rustup would look for a toolchain in the home.
    let cargo = Path::new(env!("CARGO")).parent().unwrap().display();
    let programs = format!("{cargo}:{}", std::env::var("PATH").unwrap());
    let built = |module: &[u8]| {
        std::fs::write(&path, module).unwrap();
        let arguments = ["build", "--module", path.to_str().unwrap(), "--output", "json"];
        let said = output_of(run.command(&arguments).env("PATH", &programs));
        assert_eq!(said.code, 0, "{}", said.stderr);
        let result: serde_json::Value = serde_json::from_str(said.stdout.lines().last().unwrap()).unwrap();
        result["data"].clone()
    };
    let first = built(module);
    assert_eq!(first["moduleSizeBytes"], module.len());
    assert_eq!(first["compiledModule"], serde_json::Value::Null);
    assert_eq!(first, built(module));
    // An empty custom section named `a` changes what it does in nothing.
    assert_ne!(
        first["digest"],
        built(&[module as &[u8], b"\0\x02\x01a"].concat())["digest"]
    );
    // Who made it, and from what, is not known: nothing of that is attached.
    let inspected = run.run(&["inspect", first["layout"].as_str().unwrap(), "--output", "json"]);
    let inspected: serde_json::Value = serde_json::from_str(&inspected.stdout).unwrap();
    assert_eq!(inspected["attached"], serde_json::json!([]), "{inspected}");
    std::fs::write(&path, b"no module").unwrap();
    let refused = run.run(&["build", "--module", path.to_str().unwrap()]);
    refused.fails(1, &["given.wasm` would not run", "is not a valid WebAssembly module"]);
    let push = [
        "push",
        "image.tar",
        "--to",
        "localhost:1/x",
        "--module",
        path.to_str().unwrap(),
    ];
    run.run(&push)
        .fails(1, &["a module cannot be packed into an image that is built"]);
}
