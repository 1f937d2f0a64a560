//! `deploy-tool explain`: an entry of the catalogue of errors.

use crate::cli::ExplainArguments;
use diagnostics::code;
use diagnostics::{Error, Result};
use terminal::Printer;

/// Runs the command.
///
/// # Errors
/// When there is no such number.
pub fn run(printer: &Printer, arguments: &ExplainArguments) -> Result<()> {
    let Some(number) = &arguments.number else {
        let lines = code::all().into_iter().map(|code| format!("{code}  {}\n", code.title));
        printer.data(lines.collect::<String>());
        return Ok(());
    };
    let code = code::find(number).ok_or_else(|| {
        Error::input(format!("there is no error `{number}`")).hint("list them all: `deploy-tool explain`")
    })?;
    printer.data(code.text());
    Ok(())
}
