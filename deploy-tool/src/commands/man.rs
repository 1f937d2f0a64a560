//! Edge: `deploy-tool man`: the manual pages, made from the same texts as the help.

use clap_mangen::Man;

use crate::cli::{ManArguments, help};
use diagnostics::{Error, Result};
use terminal::Printer;

/// Runs the command.
///
/// # Errors
/// When the folder cannot be written.
pub fn run(printer: &Printer, arguments: &ManArguments) -> Result<()> {
    let Some(folder) = &arguments.folder else {
        let mut page = Vec::new();
        let failure = |error| Error::file("cannot make the manual page", &error);
        Man::new(help::command()).render(&mut page).map_err(failure)?;
        printer.data(String::from_utf8_lossy(&page).into_owned());
        return Ok(());
    };
    let failure = |error| {
        Error::file(
            format!("cannot write the manual pages to `{}`", folder.display()),
            &error,
        )
    };
    std::fs::create_dir_all(folder).map_err(failure)?;
    clap_mangen::generate_to(help::command(), folder).map_err(failure)?;
    printer.info(&format!("the manual pages are in {}", folder.display()));
    Ok(())
}
