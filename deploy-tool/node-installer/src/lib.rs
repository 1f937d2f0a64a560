//! Installs crun with WasmEdge on a node, beside what is there, and takes it away again: what a Job of `deploy-tool node`
//! runs. It prints a line of JSON for each step ([`report`]).
//!
//! Files that decide do no I/O: [`config_method`], [`entry`], [`dump`], [`process`], [`mounts`], [`record`], [`report`]. The others
//! say “Edge” in their first line.

pub mod config_method;
pub mod containers;
pub mod cri;
pub mod detect;
pub mod dump;
pub mod entry;
pub mod files;
pub mod host;
pub mod mounts;
pub mod payload;
pub mod process;
pub mod record;
pub mod report;
pub mod service;
pub mod steps;

use std::process::ExitCode;

use node_protocol::number::INSTALLER;
use node_protocol::{Arguments, Verb};

use host::Access;
use report::{InstallError, Report};

/// Where the pod has the node's root folder.
const NODE: &str = "/host";

/// Runs a verb and says how the process ends: with 1, and a line that says why, when it cannot be done.
pub fn main(arguments: &[String]) -> ExitCode {
    let report = Report;
    match run(&report, arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(trouble) => {
            report.trouble(&trouble);
            ExitCode::FAILURE
        }
    }
}

fn run(report: &Report, arguments: &[String]) -> Result<(), InstallError> {
    let arguments = Arguments::parse(arguments).map_err(|_| {
        InstallError::new(INSTALLER, format!("unknown arguments: {}", arguments.join(" "))).cause(Arguments::USAGE)
    })?;
    // Opened before the image's files are out of reach.
    let engine = payload::open()?;
    host::enter(NODE)?;
    let access = match arguments.verb.is_read_only() {
        true => Access::Read,
        false => Access::Write,
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
