//! `deploy-tool docker`: crun with WasmEdge as a further runtime of this host's Docker engine.

mod install;
mod remove;
pub mod status;

use crate::cli::DockerCommand;
use diagnostics::{ExitStatus, Result};
use host::cleanup::Cleanup;
use terminal::Printer;

/// Runs a verb.
///
/// # Errors
/// When it cannot be done.
pub async fn run(printer: &Printer, cleanup: &Cleanup, command: DockerCommand) -> Result<ExitStatus> {
    match command {
        DockerCommand::Install(arguments) => install::run(printer, cleanup, arguments)
            .await
            .map(|()| ExitStatus::Done),
        DockerCommand::Remove => remove::run(printer, cleanup).await.map(|()| ExitStatus::Done),
        DockerCommand::Status => status::run(printer).await,
    }
}
