use clap::Args;

/// Arguments of `explain`
#[derive(Debug, Args)]
pub struct ExplainArguments {
    /// The number that the error shows, such as DT0201; without it, all of them are listed
    pub number: Option<String>,
}
