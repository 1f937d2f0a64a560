//! `make bench-app`: the orders service as Wasm compiled ahead of time, as Wasm interpreted, and as its native build,
//! each under the same load in turn, round after round. What counts is the ratio to the native build of the same round:
//! machines are noisy, and absolute figures say little.
//!
//! All traffic goes to loopback, each load lasts a few seconds, and every server is ended before the program ends.

mod chart;
mod load;
mod measurement;
mod route;
mod servers;
mod table;

use std::path::PathBuf;

use anyhow::{Context, Result};
use bench::Output;
use clap::Parser;

use crate::measurement::Results;
use crate::route::{CONNECTIONS, Route};
use crate::servers::{BUILDS, Database, Server};

/// Measure the service as Wasm and native, side by side
#[derive(Debug, Parser)]
struct Arguments {
    /// The module as rustc makes it
    #[arg(long)]
    module: PathBuf,
    /// The same module, compiled ahead of time
    #[arg(long)]
    compiled: PathBuf,
    /// The native build
    #[arg(long)]
    native: PathBuf,
    /// Rounds; the middle one of each figure counts
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Seconds of load for each figure
    #[arg(long, default_value_t = 2)]
    seconds: u32,
    /// What is printed at the end
    #[arg(long, value_enum, default_value_t = Output::Text)]
    output: Output,
    /// Where the chart goes
    #[arg(long, default_value = "target/bench-app.svg")]
    chart: PathBuf,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let database = Database::start()?;
    let servers = BUILDS
        .iter()
        .map(|build| {
            let program = match build.name {
                "native" => &arguments.native,
                "aot" => &arguments.compiled,
                _ => &arguments.module,
            };
            Server::start(build, program, &database)
                .with_context(|| format!("the {} server does not start", build.name))
        })
        .collect::<Result<Vec<_>>>()?;

    let mut results = Results::default();
    for round in 0..arguments.rounds {
        for route in Route::ALL {
            for connections in CONNECTIONS {
                for server in &servers {
                    // Each figure finds the same table: a hundred orders.
                    server.fill(&database)?;
                    eprintln!(
                        "round {}: {} with {connections} connections, {}",
                        round + 1,
                        route.name(),
                        server.name
                    );
                    let measured = load::run(server, route, connections, arguments.seconds)?;
                    results.add(route, connections, server.name, measured);
                }
            }
        }
    }

    let rows = results.rows();
    match arguments.output {
        Output::Text => print!("{}", table::text(&rows)),
        Output::Json => println!("{}", serde_json::to_string_pretty(&rows)?),
    }
    std::fs::write(&arguments.chart, chart::svg(&rows))
        .with_context(|| format!("cannot write {}", arguments.chart.display()))?;
    eprintln!("chart: {}", arguments.chart.display());
    Ok(())
}
