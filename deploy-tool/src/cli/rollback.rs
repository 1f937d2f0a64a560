use clap::Args;

use super::{ClusterArguments, SignedArguments, TlsArguments, WaitArguments, example::Example};

/// Arguments of `rollback`
#[derive(Debug, Args)]
pub struct RollbackArguments {
    /// Which revision to bring back [default: the last deployed one before the newest]
    #[arg(value_parser = clap::value_parser!(u32).range(1..))]
    pub revision: Option<u32>,
    /// Take ownership of fields that other field managers have changed since (server-side apply with force)
    ///
    /// Without it a number of replicas that `scale`, an autoscaler or a user has set stays, with a warning; other such
    /// fields stop the rollback before anything is written.
    #[arg(long)]
    pub take_over: bool,
    /// How to wait
    #[command(flatten)]
    pub wait: WaitArguments,
    /// Where
    #[command(flatten)]
    pub cluster_arguments: ClusterArguments,
    /// Which images may be deployed
    #[command(flatten)]
    pub signed: SignedArguments,
    /// Who is believed to be a registry
    #[command(flatten)]
    pub tls: TlsArguments,
}

/// Examples in the help of `rollback`.
pub const EXAMPLES: &[Example] = &[
    ("rollback", "the last revision that came up before the newest"),
    ("rollback 3", "revision 3, manifests and images, as a new revision"),
];
