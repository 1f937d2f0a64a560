//! Edge: writes manifests, makes and deletes namespaces, and says what a person would type.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;
use bench::process;
use serde_json::Value;

use crate::manifests::workloads;

/// Who deploys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Deployer {
    /// `kubectl apply --server-side`, then `kubectl rollout status`: the others are compared to it.
    Kubectl,
    /// `deploy-tool apply`.
    DeployTool,
    /// `helm upgrade --install --wait`.
    Helm,
}

impl Deployer {
    /// In the order of the table.
    pub const ALL: [Self; 3] = [Self::Kubectl, Self::DeployTool, Self::Helm];

    /// For names and tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Kubectl => "kubectl",
            Self::DeployTool => "deploy-tool",
            Self::Helm => "helm",
        }
    }
}

/// Where they are.
#[derive(Debug)]
pub struct Programs {
    /// deploy-tool.
    pub deploy_tool: PathBuf,
    /// kubectl.
    pub kubectl: PathBuf,
    /// Helm, where it is there.
    pub helm: Option<PathBuf>,
}

impl Programs {
    /// Whether a tool is there.
    pub fn has(&self, tool: Deployer) -> bool {
        tool != Deployer::Helm || self.helm.is_some()
    }

    /// What a person would type to deploy the objects of a folder and to wait until they are ready.
    pub fn commands(
        &self,
        tool: Deployer,
        context: &str,
        namespace: &str,
        folder: &Path,
        objects: &[Value],
        limit: &str,
    ) -> Vec<Command> {
        let command = |program: &Path, context_option: &str| {
            let mut command = Command::new(program);
            command.args([context_option, context, "--namespace", namespace]);
            command
        };
        match tool {
            Deployer::DeployTool => {
                let mut apply = Command::new(&self.deploy_tool);
                apply.args([
                    "apply",
                    "--context",
                    context,
                    "--namespace",
                    namespace,
                    "--timeout",
                    limit,
                ]);
                apply.arg("-f").arg(folder.join(MANIFESTS));
                vec![apply]
            }
            Deployer::Kubectl => {
                let mut apply = command(&self.kubectl, "--context");
                apply.args(["apply", "--server-side", "-f"]).arg(folder.join(MANIFESTS));
                let names = workloads(objects);
                let mut wait = command(&self.kubectl, "--context");
                wait.args(["rollout", "status", "--timeout", limit]).args(&names);
                if names.is_empty() {
                    vec![apply]
                } else {
                    vec![apply, wait]
                }
            }
            Deployer::Helm => {
                let mut upgrade = command(self.helm.as_deref().unwrap_or(Path::new("helm")), "--kube-context");
                upgrade.args(["upgrade", "--install", "--wait", "--timeout", limit, "bench"]);
                upgrade.arg(folder);
                vec![upgrade]
            }
        }
    }
}

/// Where Helm looks for manifests; the folder is a chart.
const MANIFESTS: &str = "templates";

/// Writes the objects as a chart, whose templates are plain manifests.
pub fn write(folder: &Path, objects: &[Value]) -> Result<()> {
    std::fs::write(
        folder.join("Chart.yaml"),
        "apiVersion: v2\nname: bench\nversion: 0.1.0\n",
    )?;
    let manifests = folder.join(MANIFESTS);
    std::fs::create_dir(&manifests)?;
    for object in objects {
        let name = |value: &Value| value.as_str().unwrap_or_default().to_ascii_lowercase();
        let file = format!("{}-{}.yaml", name(&object["kind"]), name(&object["metadata"]["name"]));
        // JSON is YAML.
        std::fs::write(manifests.join(file), serde_json::to_vec_pretty(object)?)?;
    }
    Ok(())
}

/// The cluster, for what is not measured.
#[derive(Debug)]
pub struct Cluster {
    kubectl: PathBuf,
    context: String,
}

/// A namespace that goes with its value.
#[derive(Debug)]
pub struct Namespace<'a> {
    cluster: &'a Cluster,
    name: String,
}

impl Cluster {
    /// The cluster of a context.
    pub fn new(kubectl: &Path, context: &str) -> Self {
        Self {
            kubectl: kubectl.to_owned(),
            context: context.to_owned(),
        }
    }

    /// Recreates a namespace, and waits until pods can run in it.
    pub fn namespace(&self, name: &str) -> Result<Namespace<'_>> {
        self.kubectl(&["delete", "namespace", name, "--ignore-not-found"])?;
        let namespace = Namespace {
            cluster: self,
            name: name.to_owned(),
        };
        self.kubectl(&["create", "namespace", name])?;
        self.kubectl(&["wait", "--for=create", "serviceaccount/default", "--namespace", name])?;
        Ok(namespace)
    }

    fn kubectl(&self, arguments: &[&str]) -> Result<()> {
        let mut command = Command::new(&self.kubectl);
        process::output(command.args(["--context", &self.context]).args(arguments)).map(drop)
    }
}

impl Namespace<'_> {
    /// Deletes it and waits until it is gone.
    pub fn delete(self) -> Result<()> {
        self.cluster
            .kubectl(&["delete", "namespace", &self.name, "--ignore-not-found"])
    }
}

impl Drop for Namespace<'_> {
    /// Also where a measurement failed. It is gone already where none did.
    fn drop(&mut self) {
        let arguments = ["delete", "namespace", &self.name, "--ignore-not-found", "--wait=false"];
        if let Err(error) = self.cluster.kubectl(&arguments) {
            eprintln!("namespace {} is left: {error}", self.name);
        }
    }
}
