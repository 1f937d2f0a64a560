use clap::Args;

use super::Place;

/// Arguments of `scale`
#[derive(Debug, Args)]
pub struct ScaleArguments {
    /// How many replicas
    #[arg(value_parser = clap::value_parser!(i32).range(0..=crate::settings::MOST_REPLICAS), allow_negative_numbers = true)]
    pub replicas: i32,
    /// Scale even if the replicas' pools need more connections than the database takes
    #[arg(long)]
    pub force: bool,
    /// The Deployment to scale
    #[arg(long, default_value = crate::settings::DEFAULT_DEPLOYMENT)]
    pub deployment: String,
    /// Where
    #[command(flatten)]
    pub place: Place,
    /// How long the replicas may take, such as 90s or 5m
    #[arg(long, value_name = "DURATION", default_value = "3m", value_parser = crate::settings::duration)]
    pub timeout: std::time::Duration,
}
