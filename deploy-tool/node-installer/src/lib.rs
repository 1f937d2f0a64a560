//! Installs crun with WasmEdge on a node and removes it: the program in the Jobs of `deploy-tool node`. It prints a line of
//! JSON for each step (`report`).
//!
//! These modules do no I/O: `config_method`, `entry`, `dump`, `process`, `mounts`, `record`. The others have “Edge” in
//! their first line.

mod config_method;
mod containers;
mod cri;
mod detect;
mod dump;
mod entry;
mod files;
mod host;
mod mounts;
mod payload;
mod process;
mod record;
mod report;
mod service;
mod steps;

use std::process::ExitCode;

use node_protocol::number::INSTALLER;
use node_protocol::{Arguments, Verb};

use host::Access;
use report::{InstallError, Report};

/// The mount point of the node's root folder in the pod.
const NODE: &str = "/host";

/// Runs a verb. Exits with 1 after a line with the error when it fails.
pub fn main(arguments: &[String]) -> ExitCode {
    let report = Report;
    match run(&report, arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            report.failure(&error);
            ExitCode::FAILURE
        }
    }
}

fn run(report: &Report, arguments: &[String]) -> Result<(), InstallError> {
    let arguments = Arguments::parse(arguments).map_err(|_| {
        InstallError::new(INSTALLER, format!("unknown arguments: {}", arguments.join(" "))).cause(Arguments::USAGE)
    })?;
    // Before chroot, after which the files of the image cannot be reached.
    let engine = payload::open_engine()?;
    host::enter_root(NODE)?;
    let access = if arguments.verb.is_read_only() {
        Access::Read
    } else {
        Access::Write
    };
    let _lock = host::lock(access)?;
    if access == Access::Write {
        host::ignore_termination()?;
    }
    match arguments.verb {
        Verb::Check => steps::check::run(report, &arguments, &engine),
        Verb::Install => steps::install::run(report, &arguments, &engine),
        Verb::Undo => steps::remove::undo(report, &arguments),
        Verb::Remove => steps::remove::run(report, &arguments),
        Verb::Status => steps::status::run(report, &arguments),
    }
}
