use clap::Args;

use super::{ClusterArguments, SourceArguments, example::Example};
use crate::forward::Ports;

/// Arguments of `dev`
#[derive(Debug, Args)]
pub struct DevArguments {
    /// Port of this host, and of the Service by number or name [default: a free one, and http or the first]
    #[arg(long, value_name = "LOCAL[:REMOTE]", default_value = "0", hide_default_value = true)]
    pub port: Ports,
    /// The Service behind it [default: the only one of the manifests, or the only one that says how to try it]
    #[arg(long, value_name = "NAME")]
    pub service: Option<String>,
    /// At the end, take away what was deployed; data stays
    #[arg(long)]
    pub remove: bool,
    /// End after the first deployment, as it ends
    #[arg(long)]
    pub once: bool,
    /// Where
    #[command(flatten)]
    pub cluster_arguments: ClusterArguments,
    /// From what
    #[command(flatten)]
    pub source: SourceArguments,
}

/// Examples in the help of `dev`.
pub const EXAMPLES: &[Example] = &[
    ("dev", "what is saved is served within seconds, until Ctrl-C"),
    (
        "dev --port 8081 --remove",
        "at a port of your own; take everything away in the end",
    ),
];
