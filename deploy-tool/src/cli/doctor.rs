use clap::Args;

use super::{SourceArguments, example::Example};

/// Arguments of `doctor`
#[derive(Debug, Args)]
pub struct DoctorArguments {
    /// Node to examine, also several times [default: all that the RuntimeClass selects]
    #[arg(long = "node", value_name = "NAME")]
    pub nodes: Vec<String>,
    /// RuntimeClass of the Wasm pods
    #[arg(long, value_name = "NAME", default_value = crate::settings::DEFAULT_RUNTIME_CLASS)]
    pub runtime_class: String,
    /// Image of the probe in a registry that the nodes reach [default: it is built and loaded, for kind]
    #[arg(long, value_name = "REFERENCE", requires = "plain_image")]
    pub image: Option<String>,
    /// The same without native code, to compare with
    #[arg(long, value_name = "REFERENCE", requires = "image")]
    pub plain_image: Option<String>,
    /// Context of the kubeconfig to act on
    #[arg(long, value_name = "NAME", hide_env_values = true, env = "DEPLOY_TOOL_CONTEXT", default_value = cluster::kubeconfig::default_context())]
    pub context: String,
    /// Namespace in which the probes run
    #[arg(long, short, value_name = "NAME", default_value = "default")]
    pub namespace: String,
    /// From what the probe is built
    #[command(flatten)]
    pub source: SourceArguments,
}

/// Examples in the help of `doctor`.
pub const EXAMPLES: &[Example] = &[
    ("doctor", "every link to a guest that runs, on every node for Wasm"),
    ("doctor --node worker-1 --output json", "one node, for a program"),
];
