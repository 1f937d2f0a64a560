use std::path::PathBuf;

use clap::Args;

use super::example::Example;

/// Arguments of `init`
#[derive(Debug, Args)]
pub struct InitArguments {
    /// Folder of the crate, or one inside of it
    #[arg(value_name = "PATH", default_value = ".")]
    pub path: PathBuf,
    /// The package of the workspace [default: the one of the folder, or the only program]
    #[arg(long, value_name = "NAME")]
    pub package: Option<String>,
    /// Also make the changes to Cargo.toml that are shown
    #[arg(long)]
    pub write: bool,
    /// The port that the service listens on [default: the one in its sources, or 8080]
    #[arg(long, value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..))]
    pub port: Option<u16>,
    /// The route that answers when the service lives [default: the one in its sources; without one the port is tried]
    #[arg(long, value_name = "ROUTE", value_parser = route)]
    pub health: Option<String>,
}

fn route(text: &str) -> Result<String, String> {
    let is_plain = |character: char| character.is_ascii_alphanumeric() || "/-_.~".contains(character);
    if text.starts_with('/') && text.chars().all(is_plain) {
        Ok(text.to_owned())
    } else {
        Err("write a path without a query, such as /healthz".to_owned())
    }
}

/// Examples in the help of `init`.
pub const EXAMPLES: &[Example] = &[
    ("init", "look at the crate of this folder, add what it lacks"),
    (
        "init services/shop --write",
        "elsewhere, and change its dependencies as shown",
    ),
];
