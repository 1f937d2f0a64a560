//! The command line: structures only. Their comments are the help texts.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::failure::EXIT_CODES;

/// Builds Rust services as Wasm images and runs them on Kubernetes: build, apply, watch, explain, scale
#[derive(Debug, Parser)]
#[command(name = "deploy-tool", version, after_help = EXIT_CODES, max_term_width = 110)]
pub struct Cli {
    /// What to do
    #[command(subcommand)]
    pub command: Command,
}

/// What to do
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Create or delete the demonstration cluster (kind)
    #[command(subcommand, after_help = EXIT_CODES)]
    Cluster(ClusterCommand),
    /// Compile the service to Wasm, ahead of time, and pack its image; touches no cluster
    #[command(after_help = EXIT_CODES)]
    Build(BuildArguments),
    /// Build, load, apply in order, wait until everything is ready, report
    #[command(after_help = EXIT_CODES)]
    Up(UpArguments),
    /// Show the pods: node, runtime class, execution mode, image, restarts, readiness
    #[command(after_help = EXIT_CODES)]
    Status(StatusArguments),
    /// Change the number of replicas and wait for them
    #[command(after_help = EXIT_CODES)]
    Scale(ScaleArguments),
    /// Delete what `up` created, except the data
    #[command(after_help = EXIT_CODES)]
    Down(DownArguments),
}

/// Create or delete the demonstration cluster
#[derive(Debug, Subcommand)]
pub enum ClusterCommand {
    /// Create the cluster, or start it again; does nothing when it runs
    #[command(after_help = EXIT_CODES)]
    Up(ClusterUpArguments),
    /// Delete the cluster with everything in it; does nothing when there is none
    #[command(after_help = EXIT_CODES)]
    Down(ClusterDownArguments),
}

/// Arguments of `cluster up`
#[derive(Debug, Args)]
pub struct ClusterUpArguments {
    /// Name of the cluster; its kubeconfig context is kind-NAME
    #[arg(long, default_value = crate::settings::DEFAULT_CLUSTER)]
    pub name: String,
    /// Port on this host for the service, in place of the one in the configuration
    #[arg(long, value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..))]
    pub http_port: Option<u16>,
    /// Image of the nodes: kindest/node with crun, WasmEdge and the runtime entry
    #[arg(long, value_name = "IMAGE", default_value = crate::settings::DEFAULT_NODE_IMAGE)]
    pub node_image: String,
    /// The cluster's configuration
    #[arg(long, value_name = "FILE", default_value = "kind-config.yaml")]
    pub config: PathBuf,
    /// How long to wait for the nodes, such as 90s or 5m
    #[arg(long, value_name = "DURATION", default_value = "5m", value_parser = crate::settings::duration)]
    pub timeout: std::time::Duration,
}

/// Arguments of `cluster down`
#[derive(Debug, Args)]
pub struct ClusterDownArguments {
    /// Name of the cluster
    #[arg(long, default_value = crate::settings::DEFAULT_CLUSTER)]
    pub name: String,
}

/// Which cluster
#[derive(Debug, Args)]
pub struct ContextArguments {
    /// Context of the kubeconfig to act on; the current context is never used
    #[arg(long, default_value = crate::settings::DEFAULT_CONTEXT)]
    pub context: String,
}

/// Where the objects are defined
#[derive(Debug, Args)]
pub struct ManifestArguments {
    /// Folder with the YAML files of the objects
    #[arg(long, value_name = "DIR", default_value = "manifests")]
    pub manifests: PathBuf,
}

/// What is compiled
#[derive(Debug, Args)]
pub struct SourceArguments {
    /// Folder of the Cargo workspace
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub workspace: PathBuf,
    /// Folder of the image definitions; an image's folder has the name after deploy-tool:// in the manifests
    #[arg(long, value_name = "DIR", default_value = "oci")]
    pub images: PathBuf,
}

/// Arguments of `build`
#[derive(Debug, Args)]
pub struct BuildArguments {
    /// Name of the image to build: the folder of its definition
    #[arg(default_value = crate::settings::DEFAULT_IMAGE)]
    pub image: String,
    /// What to compile
    #[command(flatten)]
    pub source: SourceArguments,
    /// What to print on the standard output
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub output: OutputFormat,
}

/// Arguments of `up`
#[derive(Debug, Args)]
pub struct UpArguments {
    /// Where
    #[command(flatten)]
    pub context: ContextArguments,
    /// What
    #[command(flatten)]
    pub manifests: ManifestArguments,
    /// From what
    #[command(flatten)]
    pub source: SourceArguments,
    /// Namespace of objects whose manifest names none; refused when a manifest names another
    #[arg(long)]
    pub namespace: Option<String>,
    /// How long everything may take to become ready, such as 90s or 5m
    #[arg(long, value_name = "DURATION", default_value = "5m", value_parser = crate::settings::duration)]
    pub timeout: std::time::Duration,
}

/// Arguments of `status`
#[derive(Debug, Args)]
pub struct StatusArguments {
    /// Where
    #[command(flatten)]
    pub context: ContextArguments,
    /// Namespace to show
    #[arg(long, default_value = crate::settings::DEFAULT_NAMESPACE)]
    pub namespace: String,
    /// What to print on the standard output
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub output: OutputFormat,
}

/// Arguments of `scale`
#[derive(Debug, Args)]
pub struct ScaleArguments {
    /// How many replicas
    #[arg(value_parser = clap::value_parser!(i32).range(0..=crate::settings::MOST_REPLICAS), allow_negative_numbers = true)]
    pub replicas: i32,
    /// Scale even if the replicas' pools need more connections than the database takes
    #[arg(long)]
    pub force: bool,
    /// The Deployment to scale
    #[arg(long, default_value = crate::settings::DEFAULT_DEPLOYMENT)]
    pub deployment: String,
    /// Where
    #[command(flatten)]
    pub context: ContextArguments,
    /// Namespace of the Deployment
    #[arg(long, default_value = crate::settings::DEFAULT_NAMESPACE)]
    pub namespace: String,
    /// How long the replicas may take, such as 90s or 5m
    #[arg(long, value_name = "DURATION", default_value = "3m", value_parser = crate::settings::duration)]
    pub timeout: std::time::Duration,
}

/// Arguments of `down`
#[derive(Debug, Args)]
pub struct DownArguments {
    /// Where
    #[command(flatten)]
    pub context: ContextArguments,
    /// What
    #[command(flatten)]
    pub manifests: ManifestArguments,
    /// Namespace of objects whose manifest names none; refused when a manifest names another
    #[arg(long)]
    pub namespace: Option<String>,
    /// Delete the volumes, the generated passwords and the namespace as well
    #[arg(long)]
    pub delete_data: bool,
    /// How long the objects may take to go, such as 90s or 5m
    #[arg(long, value_name = "DURATION", default_value = "3m", value_parser = crate::settings::duration)]
    pub timeout: std::time::Duration,
}

/// What to print on the standard output
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum OutputFormat {
    /// For people
    Text,
    /// For programs
    Json,
}
