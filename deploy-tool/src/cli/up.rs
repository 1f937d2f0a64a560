use clap::Args;

use super::{
    Aot, ClusterArguments, PublishArguments, SignedArguments, SourceArguments, WaitArguments, example::Example,
};

/// Arguments of `up`
#[derive(Debug, Args)]
pub struct UpArguments {
    /// How to wait
    #[command(flatten)]
    pub wait: WaitArguments,
    /// Do not wait for the compilation ahead of time: what has changed runs interpreted, within seconds
    ///
    /// It is compiled ahead of time in the background; the next `up` waits for that and puts it in effect. Only for kind
    /// clusters: what is pushed to a registry is compiled ahead of time.
    #[arg(long, conflicts_with = "registry")]
    pub dev: bool,
    /// How ahead-of-time (AOT) compiled code is packed [default: a shared object where every node can run it, else a section]
    #[arg(long, value_name = "FORM", conflicts_with = "dev")]
    pub aot: Option<Aot>,
    /// Roll back to the last deployed revision if the rollout fails
    ///
    /// The last deployed revision is applied again and waited for. The exit code is still that of the failure.
    #[arg(long)]
    pub rollback_on_failure: bool,
    /// Take ownership of fields that other field managers have changed (server-side apply with force)
    #[arg(long)]
    pub take_over: bool,
    /// Where
    #[command(flatten)]
    pub cluster_arguments: ClusterArguments,
    /// From what
    #[command(flatten)]
    pub source: SourceArguments,
    /// How images come to the nodes
    #[command(flatten)]
    pub publish: PublishArguments,
    /// Which images may be deployed
    #[command(flatten)]
    pub signed: SignedArguments,
}

/// Examples in the help of `up`.
pub const EXAMPLES: &[Example] = &[
    (
        "up",
        "build what has changed, apply manifests/, wait until all is ready",
    ),
    (
        "up --dev",
        "within seconds of a change: interpreted, until the next `up`",
    ),
    (
        "up -f shop/ -n shop --context production",
        "a folder of any manifests, on any cluster",
    ),
    (
        "up --registry docker.io/you --context production",
        "images go through a registry, nodes get the login",
    ),
    (
        "up --require-signature public.pem --allow-unsigned 'docker.io/library/*'",
        "only images that the holder of the key has signed",
    ),
];
