use clap::Args;

use super::Place;

/// Arguments of `status`
#[derive(Debug, Args)]
pub struct StatusArguments {
    /// Where
    #[command(flatten)]
    pub place: Place,
}
