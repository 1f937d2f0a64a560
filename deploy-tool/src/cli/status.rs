use clap::Args;

use super::ClusterArguments;

/// Arguments of `status`
#[derive(Debug, Args)]
pub struct StatusArguments {
    /// Where
    #[command(flatten)]
    pub place: ClusterArguments,
}
