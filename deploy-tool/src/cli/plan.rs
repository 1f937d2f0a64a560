use std::path::PathBuf;

use clap::Args;

use super::{Aot, ClusterArguments, PublishArguments, SourceArguments, example::Example};

/// Arguments of `plan`
#[derive(Debug, Args)]
pub struct PlanArguments {
    /// Where
    #[command(flatten)]
    pub cluster_arguments: ClusterArguments,
    /// From what
    #[command(flatten)]
    pub source: SourceArguments,
    /// How images come to the nodes
    #[command(flatten)]
    pub publish: PublishArguments,
    /// Build nothing: take the images that run now in place of deploy-tool://NAME
    #[arg(long)]
    pub no_build: bool,
    /// How ahead-of-time (AOT) compiled code is packed [default: a shared object where every node can run it, else a section]
    #[arg(long, value_name = "FORM", conflicts_with = "dev")]
    pub aot: Option<Aot>,
    /// Plan what `up --dev` does
    #[arg(long, conflicts_with_all = ["no_build", "registry"])]
    pub dev: bool,
    /// Plan to take ownership of fields that other field managers have changed (server-side apply with force)
    #[arg(long)]
    pub take_over: bool,
    /// End with exit code 10 when there is something to do
    #[arg(long)]
    pub exit_code: bool,
    /// Keep the plan in a file for `apply --plan`; it holds what the manifests say, their Secrets included
    #[arg(long, value_name = "FILE")]
    pub save: Option<PathBuf>,
}

/// Examples in the help of `plan`.
pub const EXAMPLES: &[Example] = &[
    ("plan", "what `up` would change"),
    (
        "plan --no-build --exit-code",
        "for a script: 10 when there is something to do",
    ),
    (
        "plan --save plan.json",
        "keep it, to be applied exactly: apply --plan plan.json",
    ),
];
