//! The command line: structures only, one file a verb. Their comments are the help texts.

mod build;
mod cluster;
mod down;
mod place;
mod scale;
mod status;
mod up;

pub use build::{BuildArguments, SourceArguments};
pub use cluster::{ClusterCommand, ClusterDownArguments, ClusterUpArguments};
pub use down::DownArguments;
pub use place::Place;
pub use scale::ScaleArguments;
pub use status::StatusArguments;
pub use up::UpArguments;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::failure::EXIT_CODES;

/// Builds Rust services as Wasm images and runs them on Kubernetes: build, apply, watch, explain, scale
#[derive(Debug, Parser)]
#[command(name = "deploy-tool", version, after_help = EXIT_CODES, max_term_width = 110)]
pub struct Cli {
    /// What to do
    #[command(subcommand)]
    pub command: Command,
    /// How to talk
    #[command(flatten)]
    pub talk: Talk,
}

/// What to do
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Create or delete the demonstration cluster (kind)
    #[command(subcommand, after_help = EXIT_CODES)]
    Cluster(ClusterCommand),
    /// Compile the service to Wasm, ahead of time, and pack its image; touches no cluster
    #[command(after_help = EXIT_CODES)]
    Build(BuildArguments),
    /// Build, load, apply in order, wait until everything is ready, report
    #[command(after_help = EXIT_CODES)]
    Up(UpArguments),
    /// Show the pods: node, runtime class, execution mode, image, restarts, readiness
    #[command(after_help = EXIT_CODES)]
    Status(StatusArguments),
    /// Change the number of replicas and wait for them
    #[command(after_help = EXIT_CODES)]
    Scale(ScaleArguments),
    /// Delete what `up` created, except the data
    #[command(after_help = EXIT_CODES)]
    Down(DownArguments),
}

/// How to talk: data goes to the standard output, talk to the standard error
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Output")]
pub struct Talk {
    /// What to print on the standard output
    #[arg(long, short, global = true, value_name = "FORMAT", default_value = "text")]
    pub output: OutputFormat,
}

/// What to print on the standard output
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum OutputFormat {
    /// For people
    Text,
    /// For programs
    Json,
}
