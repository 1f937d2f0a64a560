use clap::Args;

use super::{Place, WaitArguments};

/// Arguments of `rollback`
#[derive(Debug, Args)]
pub struct RollbackArguments {
    /// Which revision to bring back [default: the last deployed one before the newest]
    #[arg(value_parser = clap::value_parser!(u32).range(1..))]
    pub revision: Option<u32>,
    /// How to wait
    #[command(flatten)]
    pub wait: WaitArguments,
    /// Where
    #[command(flatten)]
    pub place: Place,
}
