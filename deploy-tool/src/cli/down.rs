use clap::Args;

use super::Place;

/// Arguments of `down`
#[derive(Debug, Args)]
pub struct DownArguments {
    /// Delete the volumes, the generated passwords and the namespace as well
    #[arg(long)]
    pub delete_data: bool,
    /// How long the objects may take to go, such as 90s or 5m
    #[arg(long, value_name = "DURATION", default_value = "3m", value_parser = crate::settings::duration)]
    pub timeout: std::time::Duration,
    /// Where
    #[command(flatten)]
    pub place: Place,
}
