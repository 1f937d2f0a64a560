use std::time::Duration;

use clap::{Args, Subcommand};

use super::{SourceArguments, example::Example};

/// Add Wasm to the nodes of a cluster that exists, or take it away
#[derive(Debug, Subcommand)]
pub enum NodeCommand {
    /// Add crun with WasmEdge to nodes, one after the other
    ///
    /// A privileged Job on the node copies the engine into a folder of its own and adds an entry to the configuration of
    /// containerd or CRI-O, which is started again; pods that run go on. The node is labelled for Wasm pods once a probe
    /// has run there as native code. Where something fails, the node is restored, and the next ones are left
    /// alone. All nodes are checked before the first is touched. Run again, it changes nothing.
    Install(NodeInstallArguments),
    /// Take away from nodes what `node install` has added
    ///
    /// The labels go first, so that no Wasm pod comes any more. Refused while Wasm pods run there, unless --drain evicts
    /// them. The configuration is exactly what it was before, unless another program or user has changed it since.
    Remove(NodeRemoveArguments),
    /// Show what is installed on the nodes, and whether it is as it was installed
    Status(NodeStatusArguments),
}

/// Which nodes, and by what
#[derive(Debug, Args)]
pub struct NodeArguments {
    /// Names of nodes
    #[arg(value_name = "NODE")]
    pub nodes: Vec<String>,
    /// Nodes with these labels, such as pool=wasm
    #[arg(long, short = 'l', value_name = "LABELS")]
    pub selector: Option<String>,
    /// Handler of the RuntimeClass
    #[arg(long, value_name = "NAME", default_value = "crun", value_parser = nodes::node::handler)]
    pub handler: String,
    /// Image of the installer in a registry that the nodes reach [default: the one made here, for kind]
    #[arg(long, value_name = "NAME@DIGEST", value_parser = nodes::node::image)]
    pub image: Option<String>,
    /// Context of the kubeconfig to act on
    #[arg(long, value_name = "NAME", hide_env_values = true, env = "DEPLOY_TOOL_CONTEXT", default_value = cluster::kubeconfig::default_context())]
    pub context: String,
    /// Namespace of the Jobs, in which privileged pods may run
    #[arg(long, short, value_name = "NAME", default_value = "kube-system")]
    pub namespace: String,
    /// How long one step on a node may take, such as 90s or 5m
    #[arg(long, value_name = "DURATION", default_value = "5m", value_parser = crate::settings::duration)]
    pub timeout: Duration,
}

/// Arguments of `node install`
#[derive(Debug, Args)]
pub struct NodeInstallArguments {
    /// Which nodes, and by what
    #[command(flatten)]
    pub node: NodeArguments,
    /// Evict the node's pods first; PodDisruptionBudgets are respected
    #[arg(long)]
    pub drain: bool,
    /// What an eviction may lose
    #[command(flatten)]
    pub losses: LossArguments,
    /// Image of the probe in a registry that the nodes reach [default: it is built and loaded, for kind]
    #[arg(long, value_name = "REFERENCE", requires = "plain_probe_image")]
    pub probe_image: Option<String>,
    /// The same without native code, to compare with
    #[arg(long, value_name = "REFERENCE", requires = "probe_image")]
    pub plain_probe_image: Option<String>,
    /// From what the probe is built
    #[command(flatten)]
    pub source: SourceArguments,
}

/// Arguments of `node remove`
#[derive(Debug, Args)]
pub struct NodeRemoveArguments {
    /// Which nodes, and by what
    #[command(flatten)]
    pub node: NodeArguments,
    /// Evict the node's Wasm pods first; PodDisruptionBudgets are respected
    #[arg(long)]
    pub drain: bool,
    /// What an eviction may lose
    #[command(flatten)]
    pub losses: LossArguments,
}

/// What an eviction may lose
#[derive(Clone, Copy, Debug, Args)]
pub struct LossArguments {
    /// Evict pods that nothing starts again, too
    #[arg(long, requires = "drain")]
    pub force: bool,
    /// Evict pods with emptyDir volumes, too: their data is deleted
    #[arg(long, requires = "drain")]
    pub delete_emptydir_data: bool,
}

impl From<LossArguments> for nodes::node::AllowedLosses {
    fn from(arguments: LossArguments) -> Self {
        Self {
            bare_pods: arguments.force,
            empty_dirs: arguments.delete_emptydir_data,
        }
    }
}

/// Arguments of `node status`
#[derive(Debug, Args)]
pub struct NodeStatusArguments {
    /// Which nodes, and by what [default: those that have the label wasm-engine]
    #[command(flatten)]
    pub node: NodeArguments,
}

/// Examples in the help of `node install`.
pub const INSTALL_EXAMPLES: &[Example] = &[
    (
        "node install worker-1 --context kind-dev",
        "one node; the pods that run there go on",
    ),
    (
        "node install --selector pool=wasm --drain",
        "all nodes of a pool, each without its pods meanwhile",
    ),
];

/// Examples in the help of `node remove`.
pub const REMOVE_EXAMPLES: &[Example] = &[("node remove worker-1 --drain", "its Wasm pods go to other nodes first")];

/// Examples in the help of `node status`.
pub const STATUS_EXAMPLES: &[Example] = &[
    ("node status", "all nodes that have the engine"),
    ("node status worker-1 --output json", "one node, for a program"),
];
