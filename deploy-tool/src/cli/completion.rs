use clap::Args;
use clap_complete::Shell;

use super::example::Example;

/// Arguments of `completion`
#[derive(Debug, Args)]
pub struct CompletionArguments {
    /// For which shell
    pub shell: Shell,
}

/// Examples in the help of `completion`.
pub const EXAMPLES: &[Example] = &[(
    "completion bash > ~/.local/share/bash-completion/completions/deploy-tool",
    "from the next shell on, the Tab key knows verbs and options",
)];
