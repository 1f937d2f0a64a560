use clap::Args;

use super::example::Example;

/// Arguments of `explain`
#[derive(Debug, Args)]
pub struct ExplainArguments {
    /// The number that the error shows, such as DT0201; without it, all of them are listed
    pub number: Option<String>,
}

/// Examples in the help of `explain`.
pub const EXAMPLES: &[Example] = &[
    ("explain DT0201", "what an error means, and what to do about it"),
    ("explain", "all numbers there are"),
];
