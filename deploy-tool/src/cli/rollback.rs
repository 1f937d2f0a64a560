use clap::Args;

use super::{ClusterArguments, SignedArguments, TrustArguments};

/// Arguments of `rollback`
#[derive(Debug, Args)]
pub struct RollbackArguments {
    /// Which revision to bring back [default: the last deployed one before the newest]
    #[arg(value_parser = clap::value_parser!(u32).range(1..))]
    pub revision: Option<u32>,
    /// How long everything may take, such as 90s or 5m
    #[arg(long, value_name = "DURATION", default_value = "5m", value_parser = crate::settings::duration)]
    pub timeout: std::time::Duration,
    /// Where
    #[command(flatten)]
    pub place: ClusterArguments,
    /// Which images may be deployed
    #[command(flatten)]
    pub signed: SignedArguments,
    /// Who is believed to be a registry
    #[command(flatten)]
    pub trust: TrustArguments,
}
