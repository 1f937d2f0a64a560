use std::path::PathBuf;

use clap::Args;

/// Arguments of `man`
#[derive(Debug, Args)]
pub struct ManArguments {
    /// Folder for a page of every verb; without it, the first page goes to the standard output
    #[arg(value_name = "DIR")]
    pub folder: Option<PathBuf>,
}
