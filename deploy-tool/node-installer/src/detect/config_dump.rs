//! Runs `containerd config dump`, which prints the configuration with its imports and defaults.

use std::path::Path;

use crate::dump::Dump;
use crate::host::{self, CommandOutput, LOOK_LIMIT};
use crate::report::InstallError;

/// Dumps a configuration file; containerd's defaults, where there is no file.
pub(super) fn dump_file(program: &str, path: Option<&Path>) -> Result<Dump, String> {
    let path = path.map(|path| path.display().to_string());
    let config: Vec<&str> = path.iter().flat_map(|path| ["--config", path]).collect();
    let output = host::run(program, &[&config[..], &["config", "dump"]].concat(), LOOK_LIMIT);
    parse_output(output)
}

/// Dumps a configuration that containerd reads from its standard input.
pub(super) fn dump_text(program: &str, text: &str) -> Result<Dump, String> {
    let arguments = ["--config", "/proc/self/fd/0", "config", "dump"];
    parse_output(host::run_with_stdin(text, program, &arguments, LOOK_LIMIT))
}

fn parse_output(output: Result<CommandOutput, InstallError>) -> Result<Dump, String> {
    match output.map_err(|error| error.into_lines().join(": "))? {
        CommandOutput {
            success: true, stdout, ..
        } => Dump::parse(&stdout),
        CommandOutput { stderr, .. } => Err(stderr),
    }
}
