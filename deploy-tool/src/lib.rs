//! deploy-tool: builds Rust services as Wasm images and runs them on Kubernetes.
//!
//! The flow of `up`, in which nothing goes back: arguments → build (module, ahead of time, image) → publish (an exact
//! reference) → manifests (load, resolve, order) → apply → wait ([`rollout`] decides) → report.
//!
//! Each step is a crate of its own: `wasm_build`, [`oci_artifacts`], [`releases`], [`nodes`]. Here is what puts them
//! together: [`cli`] (arguments, help), [`commands`] (one file a verb), [`report`], and what one verb alone needs
//! (`logs`, [`forward`], `project`, `adoption`, `watching`, [`scaling`], [`workload`], [`publish`],
//! `docker_runtime`).

mod adoption;
pub mod built;
pub mod cli;
pub mod commands;
pub mod connection_budget;
mod docker_runtime;
pub mod forward;
mod logs;
mod native_form;
mod project;
pub mod publish;
pub mod report;
pub mod scaling;
pub mod settings;
mod signals;
mod watching;
pub mod workload;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::error::ErrorKind;

use diagnostics::{Error, ExitStatus, Result};
use host::cleanup::Cleanup;
use terminal::Printer;

/// Runs a command line. Returns the exit code.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    install_tls();
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    let cli = match cli::parse(arguments.iter().cloned()) {
        Ok(cli) => cli,
        Err(error) => {
            anstream::ColorChoice::from(cli::color_of(&arguments)).write_global();
            let is_requested = matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
            // Help goes to the standard output, a complaint to the standard error; neither has a better place to fail.
            let _ = error.print();
            return if is_requested {
                ExitStatus::Done
            } else {
                ExitStatus::Input
            }
            .into();
        }
    };
    anstream::ColorChoice::from(cli.global.color).write_global();
    let printer = Printer::new(cli.global.options(), cli.command.prints_events());
    let handling = cli.command.signal_handling();
    conclude_by(&printer, handling, async |cleanup: &Cleanup| {
        commands::run(cli, &printer, cleanup).await
    })
}

/// Settles which cryptography TLS uses, before the first connection: two libraries could each bring a default.
pub fn install_tls() {
    // The only error is that a provider is installed already.
    let _ = rustls::crypto::ring::default_provider().install_default();
}

/// Runs the work until its end or the first signal, and cleans up. Returns the exit code.
pub fn run_until_signal(printer: &Printer, work: impl AsyncFnOnce(&Cleanup) -> Result<ExitStatus>) -> ExitCode {
    conclude_by(printer, cli::SignalHandling::Abort, work)
}

fn conclude_by(
    printer: &Printer,
    handling: cli::SignalHandling,
    work: impl AsyncFnOnce(&Cleanup) -> Result<ExitStatus>,
) -> ExitCode {
    match run(printer, handling, work) {
        Ok(status) => {
            printer.done(status);
            match terminal::lost_output() {
                Some(why) => {
                    let failure = Error::prerequisite("the standard output cannot be written").cause(why);
                    printer.failure(&failure);
                    failure.status.into()
                }
                None => status.into(),
            }
        }
        Err(failure) => {
            printer.failure(&failure);
            failure.status.into()
        }
    }
}

fn run(
    printer: &Printer,
    handling: cli::SignalHandling,
    work: impl AsyncFnOnce(&Cleanup) -> Result<ExitStatus>,
) -> Result<ExitStatus> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Error::prerequisite("cannot start").cause(error))?;
    host::interrupt::exit_at_second_signal()?;
    let result = runtime.block_on(async {
        let cleanup = Cleanup::default();
        let result = tokio::select! {
            // The programs underneath get a terminal's Ctrl-C too: their failure is not what has to be reported.
            biased;
            signal = signals::first(), if handling == cli::SignalHandling::Abort => Err(Error::interrupted(format!("stopped by {signal}"))
                .hint("run the same command again: it goes on where this one stopped")),
            result = work(&cleanup) => result,
        };
        for failure in cleanup.finish().await {
            printer.warning(&failure.to_string());
        }
        result
    });
    // A thread may be waiting for the standard input for ever.
    runtime.shutdown_background();
    result
}
