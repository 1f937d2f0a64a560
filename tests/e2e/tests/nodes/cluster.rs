//! A kind cluster of plain nodes, for the time of a test.

use std::process::Command;

use e2e::{CommandOutput, deploy_tool_command, eventually, node_image};
use serde_json::Value;

const CONFIGURATION: &str = "kind: Cluster\napiVersion: kind.x-k8s.io/v1alpha4\nnodes:\n- role: control-plane\n- role: worker\n\
    - role: worker\n";

/// The cluster; its end deletes it.
pub struct Cluster {
    name: String,
}

impl Cluster {
    /// Makes it.
    pub fn up(name: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("kind.yaml");
        std::fs::write(&path, CONFIGURATION).unwrap();
        let cluster = Self { name: name.to_owned() };
        cluster.down().success();
        let arguments = [
            "cluster",
            "up",
            "--name",
            name,
            "--node-image",
            &node_image("wasm-node-plain"),
            "--config",
            path.to_str().unwrap(),
        ];
        CommandOutput::from(deploy_tool_command(&arguments).output().unwrap()).success();
        cluster
    }

    fn down(&self) -> CommandOutput {
        let arguments = ["cluster", "down", "--name", &self.name];
        CommandOutput::from(deploy_tool_command(&arguments).output().unwrap())
    }

    /// The name of a node.
    pub fn node(&self, role: &str) -> String {
        format!("{}-{role}", self.name)
    }

    /// Its context in the kubeconfig.
    pub fn context(&self) -> String {
        format!("kind-{}", self.name)
    }

    /// Runs the tool on this cluster.
    pub fn tool(&self, arguments: &[&str]) -> CommandOutput {
        let context = self.context();
        let output = CommandOutput::from(
            deploy_tool_command(&[arguments, &["--context", &context]].concat())
                .output()
                .unwrap(),
        );
        println!(
            "deploy-tool {}\n{}{}",
            arguments.join(" "),
            output.stdout,
            output.stderr
        );
        output
    }

    /// Runs a script on a node.
    pub fn on(&self, node: &str, script: &str) -> CommandOutput {
        CommandOutput::from(
            Command::new("docker")
                .args(["exec", node, "bash", "-ec", script])
                .output()
                .unwrap(),
        )
    }

    /// Runs kubectl with what a shell makes of the arguments.
    pub fn kubectl(&self, arguments: &str) -> CommandOutput {
        let script = format!("kubectl --kubeconfig=/etc/kubernetes/admin.conf {arguments}");
        self.on(&self.node("control-plane"), &script)
    }

    /// Whether the API server takes what kubectl asks for.
    pub fn takes(&self, arguments: &str) -> bool {
        self.kubectl(arguments).code == 0
    }

    /// Applies an object.
    pub fn apply(&self, object: &str) {
        self.kubectl(&format!("apply --filename - <<'END'\n{object}\nEND\n"))
            .success();
    }

    /// Deletes an object, `kind/name`.
    pub fn delete(&self, object: &str) {
        self.kubectl(&format!("delete {object}")).success();
    }

    /// Whether there is such an object, `kind/name`.
    pub fn has(&self, object: &str) -> bool {
        let output = self.kubectl(&format!("get {object} --ignore-not-found --output name"));
        !output.success().stdout.is_empty()
    }

    /// The checksums of everything that an installation could leave on a node.
    pub fn traces(&self, node: &str) -> String {
        let files = "find /opt /etc/containerd -type f -exec sha256sum {} + -o -type d -print | sort";
        self.on(node, files).success().stdout
    }

    /// Labels of a node, and whether it is cordoned.
    pub fn labels(&self, node: &str) -> (Value, Value) {
        let output = self.kubectl(&format!("get node {node} --output json")).success();
        let node: Value = serde_json::from_str(&output.stdout).unwrap();
        (
            node["metadata"]["labels"].clone(),
            node["spec"]["unschedulable"].clone(),
        )
    }

    /// Since when containerd runs.
    pub fn runtime_since(&self, node: &str) -> String {
        self.on(
            node,
            "systemctl show --property=ActiveEnterTimestampMonotonic containerd",
        )
        .success()
        .stdout
    }

    /// The containers of the system's pods on a node, once all of them have one.
    pub fn restarts(&self, node: &str) -> Vec<String> {
        let columns = "{range .items[*]}{.metadata.name} {.status.containerStatuses[*].containerID}{\"\\n\"}{end}";
        let query = format!(
            "get pods --namespace kube-system --selector '!job-name,app.kubernetes.io/name!=doctor-probe' --field-selector spec.nodeName={node} --output jsonpath='{columns}'"
        );
        eventually("the system's pods have containers", || {
            let output = self.kubectl(&query).success();
            let mut lines: Vec<String> = output.stdout.lines().map(str::to_owned).collect();
            lines.sort();
            (!lines.is_empty() && lines.iter().all(|line| line.contains("://"))).then_some(lines)
        })
    }

    /// Waits until a pod runs.
    pub fn wait_for_pod(&self, name: &str) {
        eventually("the pod runs", || {
            let output = self.kubectl(&format!("get pod {name} --output jsonpath='{{.status.phase}}'"));
            (output.stdout == "Running").then_some(())
        });
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if std::env::var_os("KEEP_CLUSTER").is_none() {
            self.down();
        }
    }
}
