use clap::Args;

use super::{ClusterArguments, example::Example};

/// Arguments of `history`
#[derive(Debug, Args)]
pub struct HistoryArguments {
    /// Show the objects of this revision, with the values of Secrets masked
    #[arg(value_parser = clap::value_parser!(u32).range(1..))]
    pub revision: Option<u32>,
    /// Where
    #[command(flatten)]
    pub cluster_arguments: ClusterArguments,
}

/// Examples in the help of `history`.
pub const EXAMPLES: &[Example] = &[
    ("history", "what was deployed when, and how it ended"),
    ("history 3", "the objects of revision 3"),
];
