//! `deploy-tool node`: installs the engine on nodes, removes it, shows the state.

mod install;
mod remove;
mod session;
mod status;

use crate::cli::NodeCommand;
use diagnostics::{ExitStatus, Result};
use host::cleanup::Cleanup;
use terminal::Printer;

/// Runs a verb.
///
/// # Errors
/// When it cannot be done.
pub async fn run(printer: &Printer, cleanup: &Cleanup, command: NodeCommand) -> Result<ExitStatus> {
    match command {
        NodeCommand::Install(arguments) => install::run(printer, cleanup, arguments)
            .await
            .map(|()| ExitStatus::Done),
        NodeCommand::Remove(arguments) => remove::run(printer, cleanup, arguments)
            .await
            .map(|()| ExitStatus::Done),
        NodeCommand::Status(arguments) => status::run(printer, cleanup, arguments).await,
    }
}
