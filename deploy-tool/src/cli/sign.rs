use std::path::PathBuf;

use clap::Args;

use super::{RegistryArguments, example::Example};

/// Arguments of `sign`
#[derive(Debug, Args)]
pub struct SignArguments {
    /// The image in its registry, by digest as `push` prints it, or by a tag
    #[arg(value_name = "IMAGE")]
    pub image: String,
    /// Private key on the curve P-256 in PEM: openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256
    #[arg(long, value_name = "FILE")]
    pub key: PathBuf,
    /// How the registry is reached
    #[command(flatten)]
    pub registry: RegistryArguments,
}

/// Arguments of `verify`
#[derive(Debug, Args)]
pub struct VerifyArguments {
    /// The image in its registry, by digest or by a tag
    #[arg(value_name = "IMAGE")]
    pub image: String,
    /// Public key of who must have signed it, in PEM: openssl pkey -in FILE -pubout
    #[arg(long, value_name = "FILE")]
    pub key: PathBuf,
    /// Who must have built it, as provenance signed by the same key says; `*` stands for any text
    #[arg(long, value_name = "PATTERN")]
    pub builder: Option<String>,
    /// Where its sources must be, as that provenance says; `*` stands for any text
    #[arg(long, value_name = "PATTERN")]
    pub source: Option<String>,
    /// Another repository that the signature may name, also several times: where the image was copied from
    #[arg(long, value_name = "REPOSITORY")]
    pub signed_as: Vec<String>,
    /// How the registry is reached
    #[command(flatten)]
    pub registry: RegistryArguments,
}

/// Examples in the help of `sign`.
pub const SIGN_EXAMPLES: &[Example] = &[(
    "sign docker.io/you/orders@sha256:5b19… --key private.pem",
    "what `push` has printed",
)];

/// Examples in the help of `verify`.
pub const VERIFY_EXAMPLES: &[Example] = &[
    (
        "verify docker.io/you/orders:1.2.3 --key public.pem",
        "prints the digest that is signed",
    ),
    (
        "verify x.io/orders:1 --key public.pem --builder 'https://ci.x.io/*'",
        "also refuses what was built elsewhere",
    ),
];
