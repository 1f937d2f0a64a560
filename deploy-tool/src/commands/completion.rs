//! `deploy-tool completion`: what a shell needs to complete verbs and options.

use clap_complete::generate;

use crate::cli::{CompletionArguments, help};
use terminal::Printer;

/// Runs the command.
pub fn run(printer: &Printer, arguments: &CompletionArguments) {
    let mut script = Vec::new();
    generate(arguments.shell, &mut help::command(), "deploy-tool", &mut script);
    printer.data(&String::from_utf8_lossy(&script));
}
