//! From words to a command line.

use std::ffi::OsString;

use clap::FromArgMatches;

use super::{Cli, help, hint};

/// Reads a command line.
///
/// # Errors
/// When it is wrong, or asks for help: the error is the text to print.
pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Cli, clap::Error> {
    let mut command = help::command();
    let arguments = hint::move_options_behind_verb(arguments);
    let matches = command
        .try_get_matches_from_mut(&arguments)
        .map_err(|error| hint::with_tip(error, &arguments))?;
    Cli::from_arg_matches(&matches).map_err(|error| error.format(&mut command))
}
