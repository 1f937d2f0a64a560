use clap::Args;

use super::{ClusterArguments, SignedArguments, TlsArguments, WaitArguments, example::Example};

/// Arguments of `apply`
#[derive(Debug, Args)]
pub struct ApplyArguments {
    /// How to wait
    #[command(flatten)]
    pub wait: WaitArguments,
    /// Roll back to the last deployed revision if the rollout fails
    ///
    /// The last deployed revision is applied again and waited for. The exit code is still that of the failure.
    #[arg(long)]
    pub rollback_on_failure: bool,
    /// Do exactly what a plan of `plan --save` says, or nothing; the manifests are not read
    #[arg(long, value_name = "FILE", conflicts_with_all = ["manifests", "namespace", "release", "take_over"])]
    pub plan: Option<std::path::PathBuf>,
    /// Take ownership of fields that other field managers have changed (server-side apply with force)
    #[arg(long)]
    pub take_over: bool,
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

/// Examples in the help of `apply`.
pub const EXAMPLES: &[Example] = &[
    ("apply -f shop/", "plain manifests, nothing to build"),
    (
        "apply --rollback-on-failure",
        "what ran before comes back when it fails",
    ),
];
