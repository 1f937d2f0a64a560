use std::path::PathBuf;

use clap::Args;

/// Which images may be deployed
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Signatures")]
pub struct SignedArguments {
    /// Deploy only images that the holder of this public key has signed, each by the digest that is signed
    #[arg(long, value_name = "FILE")]
    pub require_signature: Option<PathBuf>,
    /// Images that need no signature, also several times: docker.io/library/mariadb:11.8, docker.io/library/*
    ///
    /// Also kinds of objects of which nobody can tell what images they run, as KIND.GROUP:
    /// Gateway.gateway.networking.k8s.io
    #[arg(long, value_name = "IMAGE", requires = "require_signature")]
    pub allow_unsigned: Vec<String>,
}
