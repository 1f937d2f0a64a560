use std::time::Duration;

use clap::Args;

/// How to wait for what was applied
#[derive(Clone, Copy, Debug, Args)]
pub struct WaitArguments {
    /// How long everything may take, such as 90s or 20m [default: longer than every deadline in the objects, at least 15m]
    ///
    /// What is neither ready nor failed by then is not decided: exit code 5, and nothing is rolled back.
    #[arg(long, value_name = "DURATION", value_parser = crate::settings::duration)]
    pub timeout: Option<Duration>,
    /// Fail at the first clear error
    ///
    /// Without it, deploy-tool shows what another object, a node or a user may still put right, and keeps waiting.
    #[arg(long)]
    pub fail_fast: bool,
}
