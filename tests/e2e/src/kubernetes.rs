//! The cluster under test through the kubectl of its own node, and ports of its nodes.

use std::io::Write;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::{CommandOutput, cluster};

/// kubectl of the cluster's own node: no client is needed on this host.
pub fn kubectl(arguments: &[&str]) -> CommandOutput {
    let node = format!("{}-control-plane", cluster());
    let output = Command::new("docker")
        .args(["exec", &node, "kubectl", "--kubeconfig=/etc/kubernetes/admin.conf"])
        .args(arguments)
        .output()
        .expect("docker is there: the cluster runs in it");
    CommandOutput::from(output)
}

/// The same with a text on its standard input.
pub fn kubectl_with_input(arguments: &[&str], input: &str) -> CommandOutput {
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
    CommandOutput::from(child.wait_with_output().unwrap())
}

/// An object of the cluster.
pub fn object(namespace: &str, name: &str) -> Value {
    let output = kubectl(&["--namespace", namespace, "get", name, "--output", "json"]).success();
    serde_json::from_str(&output.stdout).unwrap()
}

/// The pods of a namespace that carry a label.
pub fn pods(namespace: &str, label: &str) -> Vec<Value> {
    let output = kubectl(&[
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
    let list: Value = serde_json::from_str(&output.stdout).unwrap();
    list["items"].as_array().unwrap().clone()
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
