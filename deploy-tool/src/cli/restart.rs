use clap::Args;

use super::{ClusterArguments, WaitArguments, example::Example};
use crate::workload::Reference;

/// Arguments of `restart`
#[derive(Debug, Args)]
pub struct RestartArguments {
    /// Deployments, StatefulSets or DaemonSets, as NAME or KIND/NAME [default: all of the namespace, or of --release]
    #[arg(value_name = "[KIND/]NAME")]
    pub names: Vec<Reference>,
    /// Where
    #[command(flatten)]
    pub cluster_arguments: ClusterArguments,
    /// How to wait
    #[command(flatten)]
    pub wait: WaitArguments,
}

/// Examples in the help of `restart`.
pub const EXAMPLES: &[Example] = &[
    ("restart app", "new pods, one after the other"),
    ("restart", "all workloads of the namespace"),
];
