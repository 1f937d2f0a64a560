use clap::Args;

use super::{ClusterArguments, example::Example};

/// Arguments of `down`
#[derive(Debug, Args)]
pub struct DownArguments {
    /// Delete the volumes, the generated passwords and the namespace as well
    #[arg(long)]
    pub delete_data: bool,
    /// Delete the namespace even if others have objects in it, which go with it
    #[arg(long, requires = "delete_data")]
    pub delete_namespace: bool,
    /// How long the objects may take to go, such as 90s or 5m
    #[arg(long, value_name = "DURATION", default_value = "3m", value_parser = crate::settings::duration)]
    pub timeout: std::time::Duration,
    /// Where
    #[command(flatten)]
    pub cluster_arguments: ClusterArguments,
}

/// Examples in the help of `down`.
pub const EXAMPLES: &[Example] = &[
    ("down", "delete what `up` created, keep volumes and passwords"),
    ("down --delete-data", "delete those and the namespace, too"),
];
