//! `make bench-roads`: the orders service started by each of the roads of docs/roads, in turn, round after round: time from
//! the command to the first answer, memory, requests per second. What counts is the ratio to `wasmedge` in the same round:
//! machines are noisy, and absolute figures say little.
//!
//! Each road has a container of its own in which its engine runs. All traffic goes to these containers, each load lasts a
//! few seconds, and everything that was started ends with the program.

mod host;
mod measure;
mod results;
mod road;
mod table;

use std::path::PathBuf;

use anyhow::{Context, Result};
use bench::Output;
use clap::Parser;

use crate::results::Results;
use crate::road::Road;

/// Measure the service on each of its roads
#[derive(Debug, Parser)]
struct Arguments {
    /// deploy-tool
    #[arg(long)]
    deploy_tool: PathBuf,
    /// The archive of the service's image, as `deploy-tool build --archive` writes it
    #[arg(long)]
    archive: PathBuf,
    /// The image's module
    #[arg(long)]
    module: PathBuf,
    /// compose.yaml
    #[arg(long)]
    compose: PathBuf,
    /// Image of a node with both engines
    #[arg(long)]
    node: String,
    /// Rounds
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Seconds of load in each round
    #[arg(long, default_value_t = 3)]
    seconds: u32,
    /// What is printed at the end
    #[arg(long, value_enum, default_value_t = Output::Text)]
    output: Output,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let folder = tempfile::tempdir()?;
    let inputs = road::Inputs {
        deploy_tool: &arguments.deploy_tool,
        archive: &arguments.archive,
        module: &arguments.module,
        compose: &arguments.compose,
        node: &arguments.node,
        folder: folder.path(),
    };
    let mut roads = Vec::new();
    for (name, prepare) in road::ALL {
        eprintln!("prepared: {name}");
        roads.push(prepare(&inputs).with_context(|| format!("{name} cannot be prepared"))?);
    }
    let mut results = Results::default();
    for round in 0..arguments.rounds {
        // Each round begins with another one.
        let middle = round % roads.len();
        let (last, first) = roads.split_at(middle);
        for road in first.iter().chain(last) {
            let Road { name, .. } = road;
            eprintln!("round {}: {name}", round + 1);
            let figures = measure::measure(road, arguments.seconds).with_context(|| (*name).to_owned())?;
            results.add(name, figures);
        }
    }
    let rows = results.rows();
    match arguments.output {
        Output::Text => print!("{}", table::text(&rows)),
        Output::Json => println!("{}", serde_json::to_string_pretty(&rows)?),
    }
    Ok(())
}
