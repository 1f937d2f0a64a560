use std::path::PathBuf;

use clap::Args;

use super::{RegistryArguments, SourceArguments, example::Example};
use oci_artifacts::registry::reference;

/// Arguments of `push`
#[derive(Debug, Args)]
pub struct PushArguments {
    /// Name of the image to build and push, or the file or folder of one that is built [default: app, or the only one]
    pub image: Option<String>,
    /// Repository to push to, with a tag if you like: docker.io/you/orders:1.2.3
    #[arg(long, value_name = "REPOSITORY")]
    pub to: String,
    /// Tag that names it, also several times [default: what `git describe` says]
    #[arg(long = "tag", value_name = "TAG", value_parser = tag)]
    pub tags: Vec<String>,
    /// Push the image of this platform alone, out of a file that has or names several: linux/amd64
    #[arg(long, value_name = "PLATFORM")]
    pub platform: Option<String>,
    /// Another repository of the same registry that may have parts of the image: these are not sent
    #[arg(long, value_name = "REPOSITORY")]
    pub mount_from: Option<String>,
    /// Pack this module as it is, instead of compiling one
    #[arg(long, value_name = "FILE")]
    pub module: Option<PathBuf>,
    /// Say which commit it is built from, in the index alone; refused where something is not committed
    #[arg(long)]
    pub revision: bool,
    /// How the registry is reached
    #[command(flatten)]
    pub registry: RegistryArguments,
    /// From what
    #[command(flatten)]
    pub source: SourceArguments,
}

fn tag(text: &str) -> Result<String, String> {
    if reference::is_tag(text) {
        Ok(text.to_owned())
    } else {
        Err("a tag has letters, digits, . _ and -, and at most 128 of them".to_owned())
    }
}

/// Examples in the help of `push`.
pub const EXAMPLES: &[Example] = &[
    (
        "push --to docker.io/you/orders",
        "build it, push it, tag it as `git describe` does",
    ),
    (
        "push image.tar --to x.io/orders:1.2.3 --user me --password-stdin",
        "an image that is built, with the password piped in",
    ),
];
