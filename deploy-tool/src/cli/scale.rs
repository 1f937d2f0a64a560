use clap::Args;

use super::Place;
use crate::scaling::Request;

/// Arguments of `scale`
#[derive(Debug, Args)]
pub struct ScaleArguments {
    /// How many replicas: N, or NAME=N once for each Deployment or StatefulSet, such as app=5 statefulset/mariadb=1
    #[arg(required = true, value_name = "[NAME=]N", allow_negative_numbers = true)]
    pub replicas: Vec<Request>,
    /// The Deployment that a number without a name means
    #[arg(long, value_name = "NAME", default_value = crate::settings::DEFAULT_DEPLOYMENT)]
    pub deployment: String,
    /// Where an autoscaler has the number, change its bounds: minReplicas to N, maxReplicas when it is lower
    #[arg(long)]
    pub autoscaler: bool,
    /// Scale even if the replicas' pools need more connections than the database takes
    #[arg(long)]
    pub force: bool,
    /// Where
    #[command(flatten)]
    pub place: Place,
    /// How long the replicas may take, such as 90s or 5m
    #[arg(long, value_name = "DURATION", default_value = "3m", value_parser = crate::settings::duration)]
    pub timeout: std::time::Duration,
}
