//! What every test with a cluster uses: the tool, kubectl, HTTP from outside the cluster, conditions that are waited for.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

pub mod browser;
mod case;
mod machine;
mod namespace;
pub mod proxy;
pub mod random;
pub mod registry;
mod running;

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
pub use service_tests::{await_that, container_label, eventually, scaled, time_limit};

pub use case::Case;
pub use machine::Machine;
pub use namespace::{Namespace, unique};
pub use running::Running;

/// Name of the kind cluster under test.
pub fn cluster() -> String {
    std::env::var("TEST_CLUSTER").expect("TEST_CLUSTER names the kind cluster under test, see tests/cluster/main.rs")
}

/// Its context in the kubeconfig.
pub fn context() -> String {
    format!("kind-{}", cluster())
}

/// Address of the service on this host.
pub fn url(path: &str) -> String {
    let base = std::env::var("TEST_URL").expect("TEST_URL is the service's address on this host");
    format!("{base}{path}")
}

/// The checkout.
pub fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .nth(2)
        .unwrap()
        .to_path_buf()
}

/// An image of `scripts/images` that carries the version of Kubernetes, which KUBERNETES names there and here:
/// `wasm-node`, `wasm-node-both`, `wasm-node-plain`.
pub fn node_image(name: &str) -> String {
    let named = std::env::var("KUBERNETES").ok().filter(|version| !version.is_empty());
    let kubernetes = named.unwrap_or_else(|| {
        let version = pinned("kubernetes_version");
        let (minor, _patch) = version.trim_start_matches('v').rsplit_once('.').unwrap();
        minor.to_owned()
    });
    format!("localhost/{name}:v{kubernetes}")
}

/// An image that a node has and that runs until it is ended: the one with which containerd keeps pods open, by its own
/// configuration (`sandbox` of containerd 2, `sandbox_image` of containerd 1).
pub fn pause_image(node: &str) -> String {
    let dump = Command::new("docker")
        .args(["exec", node, "containerd", "config", "dump"])
        .output();
    let dump = Said::from(dump.unwrap()).success().stdout;
    let image = dump.lines().find_map(|line| {
        let (key, value) = line.trim().split_once(" = ")?;
        let value = value.trim_matches(['\'', '"']);
        (["sandbox", "sandbox_image"].contains(&key) && value.contains('/')).then_some(value)
    });
    image
        .unwrap_or_else(|| panic!("{node}: containerd's configuration names no sandbox image"))
        .to_owned()
}

/// A value of oci/versions.
pub fn pinned(name: &str) -> String {
    let versions = fs::read_to_string(repository().join("oci/versions")).unwrap();
    let line = versions.lines().find_map(|line| line.strip_prefix(&format!("{name}=")));
    line.unwrap_or_else(|| panic!("oci/versions has no {name}")).to_owned()
}

/// What a program said.
pub struct Said {
    /// Its exit code.
    pub code: i32,
    /// Its data.
    pub stdout: String,
    /// Its talk.
    pub stderr: String,
}

impl Said {
    /// From a program's output.
    pub fn from(output: Output) -> Self {
        Self {
            code: output.status.code().expect("ended by a signal"),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// Itself, when the program succeeded.
    #[track_caller]
    pub fn success(self) -> Self {
        assert_eq!(
            self.code, 0,
            "exit code {}\n{}\n{}",
            self.code, self.stdout, self.stderr
        );
        self
    }

    /// Itself, when it failed with that exit code and said all of these.
    #[track_caller]
    pub fn failure(self, code: i32, sentences: &[&str]) -> Self {
        assert_eq!(
            self.code, code,
            "exit code {}\n{}\n{}",
            self.code, self.stdout, self.stderr
        );
        for sentence in sentences {
            assert!(
                self.stderr.contains(sentence),
                "it does not say `{sentence}`:\n{}",
                self.stderr
            );
        }
        self
    }
}

fn tool() -> PathBuf {
    std::env::var_os("TEST_TOOL").map_or_else(|| repository().join("target/release/deploy-tool"), PathBuf::from)
}

fn from_checkout(program: PathBuf) -> Command {
    let mut command = Command::new(program);
    command.current_dir(repository()).env("NO_COLOR", "1");
    command
}

/// The tool as a user would call it, from the checkout.
pub fn deploy_tool_command(arguments: &[&str]) -> Command {
    let mut command = from_checkout(tool());
    command.args(arguments);
    command
}

/// The benchmark of pods, which is built beside the tool.
pub fn bench_command() -> Command {
    from_checkout(tool().with_file_name("bench-pods"))
}

/// A script of this project.
pub fn script(path: &str) -> Command {
    without_cargo_variables(Command::new(repository().join(path)))
}

/// Cargo in this project.
pub fn cargo(arguments: &[&str]) -> Command {
    let mut command = without_cargo_variables(Command::new("cargo"));
    command.args(arguments).current_dir(repository());
    command
}

/// Hides what Cargo tells the tests of themselves: the build script of ring looks at that, and everything would be
/// compiled again.
fn without_cargo_variables(mut command: Command) -> Command {
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy();
        if name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_") {
            command.env_remove(&*name);
        }
    }
    command
}

/// Runs the tool against the cluster under test.
pub fn deploy_tool(arguments: &[&str]) -> Said {
    let context = context();
    let mut all = arguments.to_vec();
    all.extend(["--context", &context]);
    Said::from(
        deploy_tool_command(&all)
            .output()
            .expect("deploy-tool is built: cargo build --release"),
    )
}

/// Runs the tool with exactly these arguments.
pub fn deploy_tool_exactly(arguments: &[&str]) -> Said {
    Said::from(
        deploy_tool_command(arguments)
            .output()
            .expect("deploy-tool is built: cargo build --release"),
    )
}

/// What a run of `build --output json` says of what it has built.
#[track_caller]
pub fn built(mut command: Command) -> Value {
    let events = Said::from(command.output().unwrap()).success().stdout;
    let result: Value = serde_json::from_str(events.lines().last().unwrap()).unwrap();
    result["data"].clone()
}

/// Copies the files that git knows to another folder.
pub fn copy_sources(folder: &Path) {
    let listed = Command::new("git")
        .args(["ls-files", "-z"])
        .current_dir(repository())
        .output();
    let listed = Said::from(listed.unwrap()).success().stdout;
    for file in listed.split_terminator('\0') {
        let target = folder.join(file);
        fs::create_dir_all(target.parent().unwrap()).unwrap();
        fs::copy(repository().join(file), target).unwrap();
    }
}

/// kubectl of the cluster's own node: no client is needed on this host.
pub fn kubectl(arguments: &[&str]) -> Said {
    let node = format!("{}-control-plane", cluster());
    let output = Command::new("docker")
        .args(["exec", &node, "kubectl", "--kubeconfig=/etc/kubernetes/admin.conf"])
        .args(arguments)
        .output()
        .expect("docker is there: the cluster runs in it");
    Said::from(output)
}

/// The same with a text on its standard input.
pub fn kubectl_with_input(arguments: &[&str], input: &str) -> Said {
    let node = format!("{}-control-plane", cluster());
    let mut child = Command::new("docker")
        .args([
            "exec",
            "--interactive",
            &node,
            "kubectl",
            "--kubeconfig=/etc/kubernetes/admin.conf",
        ])
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("docker is there: the cluster runs in it");
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(input.as_bytes()).unwrap();
    drop(stdin);
    Said::from(child.wait_with_output().unwrap())
}

/// An object of the cluster.
pub fn object(namespace: &str, name: &str) -> Value {
    let said = kubectl(&["--namespace", namespace, "get", name, "--output", "json"]).success();
    serde_json::from_str(&said.stdout).unwrap()
}

/// A port of a node that leads to the pods of a Deployment, until its value ends.
pub struct NodePort {
    service: String,
    /// Host and port, reached from this host.
    pub address: String,
}

impl NodePort {
    /// Opens it, if asked to also for pods that are not ready.
    pub fn open(deployment: &str, also_not_ready: bool) -> Self {
        let service = format!("{deployment}-direct");
        kubectl(&[
            "--namespace",
            "orders",
            "delete",
            "service",
            &service,
            "--ignore-not-found",
        ])
        .success();
        kubectl(&[
            "--namespace",
            "orders",
            "expose",
            "deployment",
            deployment,
            "--type=NodePort",
            "--target-port=http",
            "--port=80",
            &format!("--name={service}"),
            &format!(r#"--overrides={{"spec":{{"publishNotReadyAddresses":{also_not_ready}}}}}"#),
        ])
        .success();
        let port = object("orders", &format!("service/{service}"))["spec"]["ports"][0]["nodePort"].clone();
        Self {
            address: format!("{}:{port}", worker_address()),
            service,
        }
    }
}

/// The address of the cluster's first worker, at which NodePorts answer.
pub fn worker_address() -> String {
    let node = object("default", &format!("node/{}-worker", cluster()));
    let addresses = node["status"]["addresses"].as_array().unwrap();
    let address = addresses
        .iter()
        .find(|address| address["type"] == "InternalIP")
        .unwrap();
    address["address"].as_str().unwrap().to_owned()
}

impl Drop for NodePort {
    fn drop(&mut self) {
        kubectl(&[
            "--namespace",
            "orders",
            "delete",
            "service",
            &self.service,
            "--wait=false",
        ]);
    }
}

/// The pods of a namespace that carry a label.
pub fn pods(namespace: &str, label: &str) -> Vec<Value> {
    let said = kubectl(&[
        "--namespace",
        namespace,
        "get",
        "pods",
        "--selector",
        label,
        "--output",
        "json",
    ])
    .success();
    let list: Value = serde_json::from_str(&said.stdout).unwrap();
    list["items"].as_array().unwrap().clone()
}

/// Waits until the service has answered for five seconds without a break.
///
/// A pod that becomes ready, or stops being so, is heard of by the nodes' packet filters up to a few seconds later: one
/// good answer may be followed by refused connections.
#[track_caller]
pub fn reachable() {
    let mut since = None;
    eventually("the service answers without a break", || {
        match request(&http_client(), "GET", "/readyz", None) {
            Ok((200, _)) => since.get_or_insert_with(Instant::now),
            _ => {
                since = None;
                return None;
            }
        };
        since.filter(|since| since.elapsed() >= Duration::from_secs(5))
    });
}

/// An HTTP client that keeps connections, as services do.
pub fn http_client() -> ureq::Agent {
    ureq::Agent::config_builder()
        .timeout_global(Some(scaled(Duration::from_secs(60))))
        .http_status_as_error(false)
        .build()
        .into()
}

/// Status and body of a request; `Err` when no answer came.
pub fn request(
    agent: &ureq::Agent,
    method: &str,
    path: &str,
    body: Option<&Value>,
) -> Result<(u16, String), ureq::Error> {
    let address = url(path);
    let mut response = match (method, body) {
        ("GET", None) => agent.get(&address).call()?,
        ("DELETE", None) => agent.delete(&address).call()?,
        ("POST", body) => {
            let bytes = body.map(Value::to_string).unwrap_or_default();
            agent
                .post(&address)
                .header("Content-Type", "application/json")
                .send(bytes)?
        }
        _ => panic!("not foreseen: {method} with a body"),
    };
    Ok((response.status().as_u16(), response.body_mut().read_to_string()?))
}

/// Status and JSON body of a request that must be answered.
#[track_caller]
pub fn answered(method: &str, path: &str, body: Option<&Value>) -> (u16, Value) {
    let (status, text) =
        request(&http_client(), method, path, body).unwrap_or_else(|error| panic!("{method} {path}: {error}"));
    (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
}

/// An order that the service accepts.
pub fn order(order_id: i32) -> Value {
    serde_json::json!({
        "order_id": order_id, "product_id": 12, "quantity": 2,
        "amount": 56.55, "shipping": 15.0, "tax": 2, "shipping_address": "Mataderos 2312"
    })
}

/// A copy of `manifests/` in a namespace of its own, changed for one test. Deleting it deletes the namespace.
///
/// The events service is left out: the orders service does its work without it, and its pods would take the nodes' memory.
pub struct Deployment {
    /// The namespace of its objects.
    pub namespace: Namespace,
    folder: tempfile::TempDir,
}

impl Deployment {
    /// Copies the manifests; `change` gets each file's name and text and gives the new text, or nothing to leave it out.
    pub fn new(purpose: &str, change: impl Fn(&str, String) -> Option<String>) -> Self {
        let namespace = Namespace::named(purpose);
        let folder = tempfile::tempdir().unwrap();
        for entry in fs::read_dir(repository().join("manifests")).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            if !name.ends_with(".yaml") || name == "events.yaml" {
                continue;
            }
            if let Some(text) = change(&name, fs::read_to_string(&path).unwrap()) {
                fs::write(folder.path().join(name), moved(&text, &namespace.name)).unwrap();
            }
        }
        Self { namespace, folder }
    }

    /// The folder of the changed manifests.
    pub fn folder(&self) -> &str {
        self.folder.path().to_str().unwrap()
    }

    /// Deploys it, after a build; says also how long that took without the build.
    pub fn up(&self) -> (Said, Duration) {
        deploy_tool_exactly(&["build"]).success();
        let start = Instant::now();
        let said = deploy_tool(&[
            "up",
            "--manifests",
            self.folder(),
            "--timeout",
            &tool_timeout(),
            "--fail-fast",
        ]);
        (said, start.elapsed())
    }
}

/// For `--timeout` of runs that are to end before: later than any test waits.
pub fn tool_timeout() -> String {
    format!("{}s", 2 * time_limit().as_secs())
}

/// The same manifests for another namespace, with a port of the nodes that the cluster picks.
fn moved(text: &str, namespace: &str) -> String {
    text.replace("namespace: orders", &format!("namespace: {namespace}"))
        .replace(
            "kind: Namespace\nmetadata:\n  name: orders",
            &format!("kind: Namespace\nmetadata:\n  name: {namespace}"),
        )
        .replace(".orders.svc", &format!(".{namespace}.svc"))
        .lines()
        .filter(|line| !line.trim_start().starts_with("nodePort:"))
        .map(|line| format!("{line}\n"))
        .collect()
}
