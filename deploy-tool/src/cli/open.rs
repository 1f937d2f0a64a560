use clap::Args;

use super::{ClusterArguments, example::Example};
use crate::forward::Ports;

/// Arguments of `open`
#[derive(Debug, Args)]
pub struct OpenArguments {
    /// The Service [default: the only one, or the only one that says how to try it]
    #[arg(value_name = "SERVICE")]
    pub service: Option<String>,
    /// Port of this host, and of the Service by number or name [default: a free one, and http or the first]
    #[arg(long, value_name = "LOCAL[:REMOTE]", default_value = "0", hide_default_value = true)]
    pub port: Ports,
    /// Show it in the browser
    #[arg(long)]
    pub browser: bool,
    /// Where
    #[command(flatten)]
    pub cluster_arguments: ClusterArguments,
}

/// Examples in the help of `open`.
pub const EXAMPLES: &[Example] = &[
    ("open", "the service, at a free port of this host"),
    ("open mariadb --port 3307", "any TCP port, for a client of its own"),
];
