use clap::Args;

use super::{ClusterArguments, example::Example};
use crate::workload::Reference;

/// Arguments of `logs`
#[derive(Debug, Args)]
pub struct LogsArguments {
    /// Deployments, StatefulSets, DaemonSets, Jobs, CronJobs, Services or pods, as NAME or KIND/NAME [default: all pods of
    /// the namespace, or of --release]
    #[arg(value_name = "[KIND/]NAME")]
    pub names: Vec<Reference>,
    /// Go on with new lines, across restarts and rollouts, until Ctrl-C
    #[arg(long, short)]
    pub follow: bool,
    /// Only lines younger than this, such as 5m or 1h
    #[arg(long, value_name = "DURATION", value_parser = crate::settings::duration)]
    pub since: Option<std::time::Duration>,
    /// Only the last lines of each container [default: all of one container, 10 of each when there are several; with --since,
    /// all]
    #[arg(long, value_name = "LINES")]
    pub tail: Option<u32>,
    /// What the containers wrote before their last restart
    #[arg(long, conflicts_with = "follow")]
    pub previous: bool,
    /// Only containers of this name
    #[arg(long, value_name = "NAME")]
    pub container: Option<String>,
    /// Where
    #[command(flatten)]
    pub cluster_arguments: ClusterArguments,
}

/// Examples in the help of `logs`.
pub const EXAMPLES: &[Example] = &[
    ("logs -f app", "all pods of a workload, across restarts and rollouts"),
    (
        "logs --since 5m --output json",
        "all pods of the namespace, for a program",
    ),
];
