//! Installs crun with WasmEdge on a node, beside what is there, and takes it away again: what a Job of `deploy-tool node`
//! runs. It prints a line of JSON for each step ([`report`]).
//!
//! Files that decide do no I/O: [`way`], [`entry`], [`dump`], [`process`], [`mounts`], [`record`], [`report`]. The others
//! say “Edge” in their first line.

pub mod cri;
pub mod dump;
pub mod entry;
pub mod files;
pub mod host;
pub mod look;
pub mod mounts;
pub mod payload;
pub mod process;
pub mod record;
pub mod report;
pub mod service;
pub mod steps;
pub mod way;

use std::process::ExitCode;

use node_protocol::number::INSTALLER;
use node_protocol::{Arguments, Verb};

use report::{Report, Trouble};

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

fn run(report: &Report, arguments: &[String]) -> Result<(), Trouble> {
    let arguments = Arguments::parse(arguments).map_err(|_| {
        Trouble::new(INSTALLER, format!("unknown arguments: {}", arguments.join(" "))).because(Arguments::USAGE)
    })?;
    // Opened before the image's files are out of reach.
    let engine = payload::open()?;
    host::enter(NODE)?;
    let _lock = host::lock()?;
    match arguments.verb {
        Verb::Check => steps::check::run(report, &arguments, &engine),
        Verb::Install => steps::install::run(report, &arguments, &engine),
        Verb::Undo => steps::remove::undo(report, &arguments),
        Verb::Remove => steps::remove::run(report, &arguments),
        Verb::Status => steps::status::run(report, &arguments),
    }
}
