//! The face of the tool: help, bad input, exit codes. No cluster and no Docker engine is needed.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::path::Path;
use std::process::Command;

/// A run in a home of its own: no kubeconfig, no Docker engine, an empty cache.
struct Run {
    home: tempfile::TempDir,
}

struct CommandOutput {
    code: i32,
    stdout: String,
    stderr: String,
}

impl Run {
    fn new() -> Self {
        Self {
            home: tempfile::tempdir().unwrap(),
        }
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.home.path().join(name)
    }

    /// Writes a file into the home and gives its path.
    fn file(&self, name: &str, text: &str) -> String {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_deploy-tool"));
        command
            .args(arguments)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap())
            .env("HOME", self.home.path())
            .env("DEPLOY_TOOL_CACHE", self.path("cache"))
            .env("DOCKER_HOST", "unix:///nowhere/docker.sock")
            .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap());
        command
    }

    fn run(&self, arguments: &[&str]) -> CommandOutput {
        said(&mut self.command(arguments))
    }

    /// A kubeconfig with one context.
    fn kubeconfig(&self, context: &str, server: &str) {
        let text = format!(
            "apiVersion: v1\nkind: Config\nclusters: [{{name: c, cluster: {{server: '{server}'}}}}]\n\
             users: [{{name: u, user: {{token: t}}}}]\n\
             contexts: [{{name: {context}, context: {{cluster: c, user: u}}}}]\ncurrent-context: {context}\n"
        );
        self.file(".kube/config", &text);
    }
}

fn said(command: &mut Command) -> CommandOutput {
    let output = command.output().unwrap();
    CommandOutput {
        code: output.status.code().unwrap(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

impl CommandOutput {
    #[track_caller]
    fn fails(self, code: i32, parts: &[&str]) {
        assert_eq!(self.code, code, "{}", self.stderr);
        for part in parts {
            assert!(self.stderr.contains(part), "`{part}` is missing in:\n{}", self.stderr);
        }
        assert_eq!(self.stdout, "", "talk goes to the standard error");
        assert!(
            !self.stderr.contains('\u{1b}'),
            "colour without a terminal: {:?}",
            self.stderr
        );
    }
}

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
        said(run.command(arguments).stdout(full())).fails(3, &["the standard output cannot be written"]);
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
        said(command.env("KUBECONFIG", run.path("none"))).fails(
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
fn a_cluster_that_is_not_there() {
    let run = Run::new();
    run.kubeconfig("kind-other", "https://127.0.0.1:1");
    let parts = [
        "https://127.0.0.1:1/",
        "kind-other",
        "Connection refused",
        "deploy-tool cluster up --name other",
    ];
    run.run(&["status", "--context", "kind-other"]).fails(2, &parts);
}

#[test]
fn a_cluster_that_says_nothing_is_given_up_soon() {
    // Connections are taken by the kernel and never answered.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let run = Run::new();
    run.kubeconfig("kind-other", &format!("http://{}", silent.local_addr().unwrap()));
    let start = std::time::Instant::now();
    run.run(&["status", "--context", "kind-other"])
        .fails(2, &["no answer within 8 s"]);
    assert!(start.elapsed() < std::time::Duration::from_secs(60));
}

#[test]
fn a_kubeconfig_that_is_none() {
    let run = Run::new();
    run.file(".kube/config", "just words");
    run.run(&["status"])
        .fails(1, &[".kube/config` cannot be read", "correct the file"]);
}

#[test]
fn no_docker_engine() {
    for arguments in [&["build"] as &[&str], &["cluster", "up"], &["cluster", "down"]] {
        Run::new()
            .run(arguments)
            .fails(3, &["the Docker engine does not answer", "systemctl start docker"]);
    }
}

#[test]
fn no_docker_program() {
    let run = Run::new();
    said(run.command(&["build"]).env("PATH", run.home.path())).fails(3, &["`docker` is not installed", "PATH"]);
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
    said(run.command(&["build"]).env("DEPLOY_TOOL_CACHE", file))
        .fails(3, &["cannot make the cache folder", "DEPLOY_TOOL_CACHE"]);
    said(
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
        let said = said(run.command(&arguments).env("PATH", &programs));
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
    refused.fails(1, &["given.wasm` would not run", "no valid WebAssembly module"]);
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

/// Nobody answers at this port: it is the one that nobody may use.
const NOBODY: &str = "http://127.0.0.1:1";

#[test]
fn files_of_a_kubeconfig_that_are_not_there_do_not_count() {
    let run = Run::new();
    run.kubeconfig("kind-x", NOBODY);
    let good = run.path(".kube/config").display().to_string();
    let missing = run.path("missing").display().to_string();
    let status = |list: &str| {
        let arguments = ["status", "--context", "kind-x", "-n", "shop"];
        said(run.command(&arguments).env("KUBECONFIG", list))
    };
    for list in [
        good.clone(),
        format!("{missing}:{good}"),
        format!("{good}:{missing}"),
        format!("{good}::{missing}:"),
        String::new(),
    ] {
        status(&list).fails(2, &["does not answer"]);
    }
    let other = run.path("other").display().to_string();
    status(&format!("{missing}:{other}")).fails(1, &["it has none", &missing, &other]);
}

#[test]
fn a_proxy_is_named_and_this_host_is_reached_without() {
    let run = Run::new();
    let status = |server: &str, variables: &[(&str, &str)]| {
        run.kubeconfig("x", server);
        let mut command = run.command(&["status", "--context", "x", "-n", "shop"]);
        said(command.envs(variables.iter().copied()))
    };
    let proxy = ("HTTPS_PROXY", "http://user:secret@127.0.0.1:1");
    let through = status("https://192.0.2.7:6443", &[proxy]);
    assert!(!through.stderr.contains("secret"), "{}", through.stderr);
    through.fails(
        2,
        &[
            "through the proxy http://127.0.0.1:1, which HTTPS_PROXY names",
            "NO_PROXY",
        ],
    );
    for list in [
        "127.0.0.1,localhost,.svc,10.0.0.0/8",
        "127.0.0.1",
        "localhost, 127.0.0.0/8",
        "127.0.0.1,",
        "",
    ] {
        let said = status("https://127.0.0.1:1", &[proxy, ("NO_PROXY", list)]);
        assert!(!said.stderr.contains("proxy"), "NO_PROXY={list}: {}", said.stderr);
        said.fails(2, &["https://127.0.0.1:1/", "does not answer"]);
    }
    status("https://192.0.2.7:6443", &[("HTTPS_PROXY", "http://a:secret@")]).fails(1, &["HTTPS_PROXY names"]);
}

#[test]
fn outside_of_a_pod_there_is_no_cluster_around() {
    Run::new()
        .run(&["status", "--context", "in-cluster", "-n", "shop"])
        .fails(1, &["this does not run in a pod"]);
}
