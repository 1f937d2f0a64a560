use clap::Args;

use super::ClusterArguments;
use crate::workload::Reference;

/// Arguments of `restart`
#[derive(Debug, Args)]
pub struct RestartArguments {
    /// Deployments, StatefulSets or DaemonSets, as NAME or KIND/NAME [default: all of the namespace, or of --release]
    #[arg(value_name = "[KIND/]NAME")]
    pub names: Vec<Reference>,
    /// Where
    #[command(flatten)]
    pub place: ClusterArguments,
    /// How long the new pods may take, such as 90s or 5m
    #[arg(long, value_name = "DURATION", default_value = "5m", value_parser = crate::settings::duration)]
    pub timeout: std::time::Duration,
}
