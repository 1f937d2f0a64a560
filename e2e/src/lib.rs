//! What every test with a cluster uses: the tool, kubectl, HTTP from outside the cluster, conditions with deadlines.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

pub mod proxy;
pub mod random;
pub mod registry;

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

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
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf()
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

/// The tool as a user would call it, from the checkout.
pub fn deploy_tool_command(arguments: &[&str]) -> Command {
    let tool =
        std::env::var_os("TEST_TOOL").map_or_else(|| repository().join("target/release/deploy-tool"), PathBuf::from);
    let mut command = Command::new(tool);
    command.args(arguments).current_dir(repository()).env("NO_COLOR", "1");
    command
}

/// A script of this project. It does not see what Cargo tells the tests of themselves: the build script of ring looks at
/// that, and everything would be compiled again.
pub fn script(path: &str) -> Command {
    let mut command = Command::new(repository().join(path));
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
        let node = object("default", &format!("node/{}-worker", cluster()));
        let addresses = node["status"]["addresses"].as_array().unwrap();
        let address = addresses.iter().find(|one| one["type"] == "InternalIP").unwrap();
        let host = address["address"].as_str().unwrap();
        Self {
            address: format!("{host}:{port}"),
            service,
        }
    }
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

/// Waits until the condition gives a value. The pause only keeps the processor free between looks.
#[track_caller]
pub fn eventually<T>(what: &str, deadline: Duration, mut condition: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(value) = condition() {
            return value;
        }
        assert!(
            start.elapsed() < deadline,
            "not within {} s: {what}",
            deadline.as_secs()
        );
        std::thread::sleep(Duration::from_millis(200));
    }
}

/// Waits until the service has answered for five seconds without a break.
///
/// A pod that becomes ready, or stops being so, is heard of by the nodes' packet filters up to a few seconds later: one
/// good answer may be followed by refused connections.
#[track_caller]
pub fn reachable() {
    let mut since = None;
    eventually("the service answers without a break", Duration::from_secs(180), || {
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
        .timeout_global(Some(Duration::from_secs(30)))
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
    pub namespace: String,
    folder: tempfile::TempDir,
}

impl Deployment {
    /// Copies the manifests; `change` gets each file's name and text and gives the new text, or nothing to leave it out.
    pub fn new(namespace: &str, change: impl Fn(&str, String) -> Option<String>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for entry in fs::read_dir(repository().join("manifests")).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            if !name.ends_with(".yaml") || name == "events.yaml" {
                continue;
            }
            // Another namespace, and a port of the nodes that the cluster picks.
            let text = fs::read_to_string(&path)
                .unwrap()
                .replace("namespace: orders", &format!("namespace: {namespace}"))
                .replace(
                    "kind: Namespace\nmetadata:\n  name: orders",
                    &format!("kind: Namespace\nmetadata:\n  name: {namespace}"),
                )
                .replace("mariadb.orders.svc", &format!("mariadb.{namespace}.svc"))
                .lines()
                .filter(|line| !line.trim_start().starts_with("nodePort:"))
                .map(|line| format!("{line}\n"))
                .collect::<String>();
            if let Some(text) = change(&name, text) {
                fs::write(folder.path().join(name), text).unwrap();
            }
        }
        Self {
            namespace: namespace.to_owned(),
            folder,
        }
    }

    /// The folder of the changed manifests.
    pub fn folder(&self) -> &str {
        self.folder.path().to_str().unwrap()
    }

    /// Deploys it; also says how long that took.
    pub fn up(&self) -> (Said, Duration) {
        let start = Instant::now();
        let said = deploy_tool(&["up", "--manifests", self.folder(), "--timeout", "4m", "--fail-fast"]);
        (said, start.elapsed())
    }
}

impl Drop for Deployment {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let said = kubectl(&["--namespace", &self.namespace, "get", "pods,events", "--output", "wide"]);
            eprintln!("namespace {} when the test failed:\n{}", self.namespace, said.stdout);
        }
        kubectl(&[
            "delete",
            "namespace",
            &self.namespace,
            "--ignore-not-found",
            "--wait=false",
        ]);
    }
}
