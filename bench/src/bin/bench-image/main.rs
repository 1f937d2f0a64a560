//! `make bench-image`: a service built and pushed by `deploy-tool push` and by `docker build` with `docker push`, and large
//! images pushed by `deploy-tool push` and by `crane push`, in turn, round after round. What counts is the ratio to the
//! other tool's figure of the same round: machines are noisy, and absolute figures say little.
//!
//! Every round has a registry of its own in a container on loopback, with TLS and a password, which keeps what it gets
//! in memory: the disk is not what is measured.

mod client;
mod images;
mod programs;
mod registry;
mod results;
mod table;

use std::path::PathBuf;

use anyhow::{Context, Result};
use bench::{Output, process};
use clap::Parser;

use crate::client::Client;
use crate::programs::Programs;
use crate::registry::Registry;
use crate::results::{Case, Results};

/// The sizes of the images that are only pushed, in millions of bytes.
const SIZES: [u32; 3] = [10, 100, 500];

/// Measure deploy-tool beside docker and crane
#[derive(Debug, Parser)]
struct Arguments {
    /// deploy-tool
    #[arg(long)]
    deploy_tool: PathBuf,
    /// crane
    #[arg(long)]
    crane: PathBuf,
    /// Image of the registry: its port is 5000, as oci/registry makes it
    #[arg(long)]
    registry: String,
    /// The module of the service as it is packed: each round changes it
    #[arg(long)]
    module: PathBuf,
    /// Rounds
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// What is printed at the end
    #[arg(long, value_enum, default_value_t = Output::Text)]
    output: Output,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let folder = tempfile::tempdir()?;
    let programs = Programs {
        deploy_tool: arguments.deploy_tool,
        crane: arguments.crane,
        folder: folder.path().to_owned(),
    };
    let module = std::fs::read(&arguments.module).context("the module")?;
    for size in SIZES {
        images::write_layout(&programs.layout(size), size)?;
    }
    let mut results = Results::default();
    for round in 0..arguments.rounds {
        let registry = Registry::start(&arguments.registry)?;
        let run = |client: Client, case: Case| {
            process::measure(programs.commands(client, case, &registry))
                .with_context(|| format!("{} with {}", case.name(), client.name()))
        };
        images::write_service(&programs.service(), &module, &format!("{round}, before"))?;
        for case in [Case::Changed, Case::Unchanged] {
            // What the registry and Docker's engine have already.
            case.clients()
                .map(|client| run(client, case))
                .into_iter()
                .collect::<Result<Vec<_>>>()?;
        }
        for case in [Case::Unchanged, Case::Changed]
            .into_iter()
            .chain(SIZES.map(Case::Push))
        {
            eprintln!("round {}: {}", round + 1, case.name());
            if case == Case::Changed {
                images::write_service(&programs.service(), &module, &format!("{round}, after"))?;
            }
            let mut clients = case.clients();
            // Each round begins with another one.
            clients.rotate_left(round % 2);
            for client in clients {
                results.add(case, client, run(client, case)?);
            }
        }
        process::output(&mut programs::remove_images())?;
    }
    let rows = results.rows();
    match arguments.output {
        Output::Text => print!("{}", table::text(&rows)),
        Output::Json => println!("{}", serde_json::to_string_pretty(&rows)?),
    }
    Ok(())
}
