use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::example::Example;

/// Create or delete a local kind cluster
#[derive(Debug, Subcommand)]
pub enum ClusterCommand {
    /// Create the cluster, or start it again
    Up(ClusterUpArguments),
    /// Delete the cluster with everything in it
    Down(ClusterDownArguments),
}

/// Arguments of `cluster up`
#[derive(Debug, Args)]
pub struct ClusterUpArguments {
    /// Name of the cluster; its kubeconfig context is kind-NAME
    #[arg(long, default_value = cluster::context::DEFAULT_CLUSTER, value_parser = crate::settings::cluster_name)]
    pub name: String,
    /// Port on this host for the service, in place of the one in the configuration
    #[arg(long, value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..))]
    pub http_port: Option<u16>,
    /// Image of the nodes: kindest/node with crun, WasmEdge and the runtime entry
    #[arg(long, value_name = "IMAGE", default_value = crate::settings::DEFAULT_NODE_IMAGE)]
    pub node_image: String,
    /// The cluster's configuration; where kind-config.yaml is not there, two workers that run Wasm
    #[arg(long, value_name = "FILE", default_value = "kind-config.yaml")]
    pub config: PathBuf,
    /// Container of a registry on this host that the nodes are to pull from; say --registry localhost:PORT to `up` then
    ///
    /// PORT is the one that the container publishes. It joins the nodes' network.
    #[arg(long, value_name = "CONTAINER")]
    pub registry: Option<String>,
    /// Certificates of the authority that signed the registry's own [default: the registry is asked without TLS]
    #[arg(long, value_name = "FILE", requires = "registry")]
    pub registry_ca: Option<PathBuf>,
    /// How long to wait for the nodes, such as 90s or 5m
    #[arg(long, value_name = "DURATION", default_value = "5m", value_parser = crate::settings::duration)]
    pub timeout: std::time::Duration,
}

/// Arguments of `cluster down`
#[derive(Debug, Args)]
pub struct ClusterDownArguments {
    /// Name of the cluster
    #[arg(long, default_value = cluster::context::DEFAULT_CLUSTER, value_parser = crate::settings::cluster_name)]
    pub name: String,
}

/// Examples in the help of `cluster up`.
pub const UP_EXAMPLES: &[Example] = &[
    ("cluster up", "a kind cluster whose nodes can run Wasm"),
    (
        "cluster up --name mine --http-port 9090",
        "another one, beside the first",
    ),
    (
        "cluster up --registry registry",
        "its nodes pull from the registry in this container",
    ),
];

/// Examples in the help of `cluster down`.
pub const DOWN_EXAMPLES: &[Example] = &[(
    "cluster down",
    "delete it with everything in it; images and caches stay",
)];
