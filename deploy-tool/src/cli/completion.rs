use clap::Args;
use clap_complete::Shell;

/// Arguments of `completion`
#[derive(Debug, Args)]
pub struct CompletionArguments {
    /// For which shell
    pub shell: Shell,
}
