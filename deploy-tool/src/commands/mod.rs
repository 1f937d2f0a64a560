//! One file a verb: each reads as the list of its steps.

mod apply;
mod background;
pub mod build;
pub mod bundle;
mod cluster;
mod completion;
mod default_image;
pub mod deploy;
mod dev;
pub mod docker;
mod doctor;
mod down;
mod exceptions;
mod explain;
mod history;
mod image_source;
mod images;
pub mod init;
pub mod inspect;
mod logs;
mod man;
pub mod module_source;
mod module_traps;
mod new;
mod node;
mod open;
mod plan;
mod push;
mod release_manifests;
mod remote_image;
mod remove;
mod restart;
mod rollback;
mod scale;
mod sign;
mod signature_policy;
mod status;
mod tool_images;
mod up;
pub mod variation;
mod verify;
mod version;
pub mod wait;

use crate::cli::{Cli, ClusterCommand, Command};
use diagnostics::{ExitStatus, Result};
use host::cleanup::Cleanup;
use terminal::Printer;

/// Runs the command of the command line. Returns the exit status.
///
/// # Errors
/// When the command fails.
pub async fn run(cli: Cli, printer: &Printer, cleanup: &Cleanup) -> Result<ExitStatus> {
    let done = match cli.command {
        Command::Plan(arguments) => return plan::run(printer, cleanup, arguments).await,
        Command::Doctor(arguments) => return doctor::run(printer, cleanup, arguments).await,
        Command::Docker(command) => return docker::run(printer, cleanup, command).await,
        Command::Node(command) => return node::run(printer, cleanup, command).await,
        Command::Dev(arguments) => return dev::run(printer, cleanup, arguments).await,
        Command::Init(arguments) => return init::run(printer, arguments).await,
        Command::New(arguments) => new::run(printer, arguments).await,
        Command::Cluster(ClusterCommand::Up(arguments)) => cluster::up(printer, cleanup, arguments).await,
        Command::Cluster(ClusterCommand::Down(arguments)) => cluster::down(printer, arguments).await,
        Command::Images => tool_images::run(printer, cleanup).await,
        Command::Build(arguments) => build::run(printer, cleanup, arguments).await,
        Command::Push(arguments) => push::run(printer, cleanup, arguments).await,
        Command::Sign(arguments) => sign::run(printer, arguments).await,
        Command::Verify(arguments) => verify::run(printer, arguments).await,
        Command::Up(arguments) => up::run(printer, cleanup, arguments).await,
        Command::Apply(arguments) => apply::run(printer, arguments).await,
        Command::Rollback(arguments) => rollback::run(printer, arguments).await,
        Command::History(arguments) => history::run(printer, arguments).await,
        Command::Status(arguments) => status::run(printer, arguments).await,
        Command::Bundle(arguments) => bundle::run(printer, arguments).await,
        Command::Inspect(arguments) => inspect::run(printer, arguments).await,
        Command::Logs(arguments) => logs::run(printer, arguments).await,
        Command::Open(arguments) => open::run(printer, arguments).await,
        Command::Restart(arguments) => restart::run(printer, arguments).await,
        Command::Scale(arguments) => scale::run(printer, arguments).await,
        Command::Down(arguments) => down::run(printer, arguments).await,
        Command::Explain(arguments) => explain::run(printer, &arguments),
        Command::Man(arguments) => man::run(printer, &arguments),
        Command::Version => {
            version::run(printer);
            Ok(())
        }
        Command::Completion(arguments) => {
            completion::run(printer, &arguments);
            Ok(())
        }
    };
    done.map(|()| ExitStatus::Done)
}
