use std::path::PathBuf;

use clap::Args;

use super::example::Example;

/// Arguments of `man`
#[derive(Debug, Args)]
pub struct ManArguments {
    /// Folder for a page of every verb; without it, the first page goes to the standard output
    #[arg(value_name = "DIR")]
    pub folder: Option<PathBuf>,
}

/// Examples in the help of `man`.
pub const EXAMPLES: &[Example] = &[
    (
        "man ~/.local/share/man/man1",
        "a page for every verb: man deploy-tool-up",
    ),
    ("man | man -l -", "read the first page at once"),
];
