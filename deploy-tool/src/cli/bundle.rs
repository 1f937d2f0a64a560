use std::path::PathBuf;

use clap::Args;

use super::{RegistryArguments, example::Example};

/// Arguments of `bundle`
#[derive(Debug, Args)]
pub struct BundleArguments {
    /// The folder or archive of an OCI layout, an image that was built here, or one in a registry
    #[arg(value_name = "IMAGE")]
    pub image: String,
    /// Folder that is made; it may be there and empty
    #[arg(value_name = "FOLDER")]
    pub folder: PathBuf,
    /// Environment variable, also several times; a name alone takes the value that it has here
    ///
    /// It stands in config.json, which only its owner can read.
    #[arg(long, short, value_name = "NAME=VALUE", value_parser = variable)]
    pub env: Vec<String>,
    /// For `crun run` by this user without root, who is the only one in the container
    #[arg(long)]
    pub rootless: bool,
    /// Take the image of this platform, of an image of several [default: this machine's, else wasi/wasm]
    #[arg(long, value_name = "PLATFORM")]
    pub platform: Option<String>,
    /// Command or arguments in place of the image's
    #[arg(last = true, value_name = "COMMAND")]
    pub command: Vec<String>,
    /// How the registry is reached
    #[command(flatten)]
    pub registry: RegistryArguments,
}

/// `NAME=VALUE`; of a name alone, the value of this process.
fn variable(text: &str) -> Result<String, String> {
    let (name, value) = match text.split_once('=') {
        Some((name, value)) => (name, value.to_owned()),
        None => {
            let value = std::env::var(text).map_err(|_| format!("{text} is not set here; NAME=VALUE gives it one"))?;
            (text, value)
        }
    };
    if name.is_empty() {
        Err("it begins with the name of a variable".to_owned())
    } else {
        Ok(format!("{name}={value}"))
    }
}

/// Examples in the help of `bundle`.
pub const EXAMPLES: &[Example] = &[
    (
        "bundle localhost/orders:sha256-5b19… orders",
        "what `build` has printed; then: crun run --bundle orders orders",
    ),
    (
        "bundle image.tar orders --rootless --env LOG=debug",
        "for this user without root; `--env LOG` takes the value it has here",
    ),
    (
        "bundle docker.io/library/debian:13 shell -- sh -c id",
        "any image of a registry, with a command of one's own",
    ),
];
