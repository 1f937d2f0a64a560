//! `make bench-deploy`: the same plain manifests through `deploy-tool`, through `kubectl apply --server-side` with
//! `kubectl rollout status`, and through Helm, in turn, round after round. What counts is the ratio to kubectl's figure of
//! the same round: machines are noisy, and absolute figures say little.
//!
//! Everything happens in namespaces of its own, which are deleted again.

mod manifests;
mod results;
mod table;
mod tools;

use std::path::PathBuf;

use anyhow::{Context, Result};
use bench::{Output, process};
use clap::Parser;

use crate::manifests::Set;
use crate::results::{Case, Results};
use crate::tools::{Cluster, Deployer, Programs};

/// Measure deploy-tool, kubectl and Helm side by side
#[derive(Debug, Parser)]
struct Arguments {
    /// deploy-tool
    #[arg(long)]
    deploy_tool: PathBuf,
    /// kubectl; the cluster's own version is the fairest
    #[arg(long)]
    kubectl: PathBuf,
    /// Helm; left out where it is not there
    #[arg(long)]
    helm: Option<PathBuf>,
    /// Context of the kubeconfig
    #[arg(long)]
    context: String,
    /// An image that is on every node, and does nothing until it is told to end
    #[arg(long)]
    image: String,
    /// Rounds
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Runs that change nothing, in each round
    #[arg(long, default_value_t = 3)]
    repeats: usize,
    /// What is printed at the end
    #[arg(long, value_enum, default_value_t = Output::Text)]
    output: Output,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let programs = Programs {
        deploy_tool: arguments.deploy_tool,
        kubectl: arguments.kubectl,
        helm: arguments.helm,
    };
    let cluster = Cluster::new(&programs.kubectl, &arguments.context);
    let mut results = Results::default();
    for round in 0..arguments.rounds {
        for set in Set::ALL {
            for tool in programs.order_of_round(round) {
                let namespace = format!("bench-{}-{}-{round}", tool.name(), set.name());
                eprintln!("round {}: {} objects through {}", round + 1, set.name(), tool.name());
                let fresh = cluster.namespace(&namespace)?;
                let folder = tempfile::tempdir()?;
                let objects = manifests::objects(set, &namespace, &arguments.image);
                let run = |limit: &str| {
                    let commands =
                        programs.commands(tool, &arguments.context, &namespace, folder.path(), &objects, limit);
                    process::measure(commands).with_context(|| format!("{} in {namespace}", tool.name()))
                };
                tools::write(folder.path(), &objects)?;
                results.add(Case::first(set), tool, run("180s")?);
                for _ in 0..arguments.repeats {
                    results.add(Case::repeated(set), tool, run("60s")?);
                }
                // The next tool shall not be measured while the cluster still tidies up.
                fresh.delete()?;
            }
        }
    }
    let rows = results.rows();
    match arguments.output {
        Output::Text => print!("{}", table::text(&rows)),
        Output::Json => println!("{}", serde_json::to_string_pretty(&rows)?),
    }
    Ok(())
}

impl Programs {
    /// The tools that are there, each round beginning with another one.
    fn order_of_round(&self, round: usize) -> Vec<Deployer> {
        let mut tools: Vec<Deployer> = Deployer::ALL.into_iter().filter(|tool| self.has(*tool)).collect();
        let first = round % tools.len();
        tools.rotate_left(first);
        tools
    }
}
