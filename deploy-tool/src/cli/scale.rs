use clap::Args;

use super::{ClusterArguments, WaitArguments, example::Example};
use crate::scaling::Request;

/// Arguments of `scale`
#[derive(Debug, Args)]
pub struct ScaleArguments {
    /// How many replicas, of one or of several: app=5 statefulset/db=1
    #[arg(required = true, value_name = "[NAME=]N", allow_negative_numbers = true)]
    pub replicas: Vec<Request>,
    /// The Deployment that a number without a name means
    #[arg(long, value_name = "NAME", default_value = crate::settings::DEFAULT_DEPLOYMENT)]
    pub deployment: String,
    /// Where an autoscaler has the number, change its bounds
    ///
    /// minReplicas becomes N, and maxReplicas as well when it is lower.
    #[arg(long)]
    pub autoscaler: bool,
    /// Scale even if the database has too few connections
    #[arg(long)]
    pub force: bool,
    /// How to wait
    #[command(flatten)]
    pub wait: WaitArguments,
    /// Where
    #[command(flatten)]
    pub cluster_arguments: ClusterArguments,
}

/// Examples in the help of `scale`.
pub const EXAMPLES: &[Example] = &[
    ("scale 3", "three replicas, unless the database has too few connections"),
    ("scale app=5 events=2", "several at once"),
    (
        "scale app=5 --autoscaler",
        "where an autoscaler has the number: raise its bounds to it",
    ),
];
