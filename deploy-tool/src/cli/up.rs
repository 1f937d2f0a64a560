use clap::Args;

use super::{Place, SourceArguments};

/// Arguments of `up`
#[derive(Debug, Args)]
pub struct UpArguments {
    /// How long everything may take, such as 90s or 5m
    #[arg(long, value_name = "DURATION", default_value = "5m", value_parser = crate::settings::duration)]
    pub timeout: std::time::Duration,
    /// Where
    #[command(flatten)]
    pub place: Place,
    /// From what
    #[command(flatten)]
    pub source: SourceArguments,
}
