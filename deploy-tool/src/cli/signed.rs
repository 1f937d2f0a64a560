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
    /// `*` stands for any text, also for several parts of a name.
    /// Also kinds of objects of which it is not known what images they run, as KIND.GROUP:
    /// Gateway.gateway.networking.k8s.io
    #[arg(long, value_name = "IMAGE", requires = "require_signature")]
    pub allow_unsigned: Vec<String>,
    /// Deploy only what this builder has built, as provenance signed by the same key says; `*` stands for any text
    #[arg(long, value_name = "PATTERN", requires = "require_signature")]
    pub builder: Option<String>,
    /// Deploy only what was built from these sources, as that provenance says; `*` stands for any text
    #[arg(long, value_name = "PATTERN", requires = "require_signature")]
    pub source: Option<String>,
    /// Another repository that a signature may name, also several times: where the image was copied from
    #[arg(long, value_name = "REPOSITORY", requires = "require_signature")]
    pub signed_as: Vec<String>,
}
