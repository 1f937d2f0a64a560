//! deploy-tool: builds Rust services as Wasm images and runs them on Kubernetes.
//!
//! The flow of `up`, in which nothing goes back: arguments → build (module, ahead of time, image) → publish (an exact
//! reference) → manifests (load, resolve, order) → apply → wait ([`rollout`] decides) → report.
//!
//! Files that decide do no I/O and are never async: [`background`] except its worker, [`image`] except its store, [`inspect`], [`bom`], [`provenance`], [`manifest`] except its loader, [`rollout`],
//! [`benchmark`], [`connections`], [`doctor`], [`node`], [`presence`], [`report`], [`resend`]. Files that do I/O say so in their first line (“Edge”) and decide nothing.

pub mod background;
pub mod benchmark;
pub mod built;
pub mod cli;
pub mod cluster;
pub mod commands;
pub mod connections;
pub mod deployer;
pub mod doctor;
pub mod forward;
pub mod kind;
pub mod kind_config;
pub mod local_registry;
pub mod logs;
pub mod manifest;
pub mod module;
pub mod node;
pub mod parting;
pub mod password;
pub mod plan;
pub mod presence;
pub mod publish;
pub mod readiness;
pub mod release;
pub mod report;
pub mod resend;
pub mod scaling;
pub mod settings;
pub mod workload;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::error::ErrorKind;

use diagnostics::{ExitStatus, Failure, Outcome};
use terminal::Printer;

/// Runs a command line and says how the process ends.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    // Two libraries of the TLS stack could each bring a default; this one is ours, named before the first connection.
    // An error would say that it is there already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    let cli = match cli::parse(arguments.iter().cloned()) {
        Ok(cli) => cli,
        Err(error) => {
            anstream::ColorChoice::from(cli::color_of(&arguments)).write_global();
            let asked = matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
            // Help goes to the standard output, a complaint to the standard error; neither has a better place to fail.
            let _ = error.print();
            return if asked { ExitStatus::Done } else { ExitStatus::Input }.into();
        }
    };
    anstream::ColorChoice::from(cli.talk.color).write_global();
    let printer = Printer::new(cli.talk.options(), cli.command.acts());
    match run(cli, &printer) {
        Ok(status) => {
            printer.done(status);
            status.into()
        }
        Err(failure) => {
            printer.failure(&failure);
            failure.status.into()
        }
    }
}

fn run(cli: cli::Cli, printer: &Printer) -> Outcome<ExitStatus> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::prerequisite("cannot start").because(error))?;
    runtime.block_on(async {
        let result = tokio::select! {
            // The programs underneath get a terminal's Ctrl-C too: that they ended badly is not what is to be told.
            biased;
            signal = stopped() => Err(Failure::interrupted(format!("stopped by {signal}"))
                .next("run the same command again: it goes on where this one stopped")),
            result = commands::run(cli, printer) => result,
        };
        for failure in parting::done().await {
            printer.warning(&failure.to_string());
        }
        result
    })
}

/// Waits for the first signal to stop. Dropping the command's future ends the programs it started.
async fn stopped() -> &'static str {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut interrupt), Ok(mut terminate)) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = interrupt.recv() => "SIGINT",
        _ = terminate.recv() => "SIGTERM",
    }
}
