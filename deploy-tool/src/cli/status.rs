use clap::Args;

use super::{ClusterArguments, example::Example};

/// Arguments of `status`
#[derive(Debug, Args)]
pub struct StatusArguments {
    /// Where
    #[command(flatten)]
    pub cluster_arguments: ClusterArguments,
}

/// Examples in the help of `status`.
pub const EXAMPLES: &[Example] = &[
    ("status", "what runs in the namespace of the manifests"),
    ("status -n shop --output json", "the same for a program"),
];
