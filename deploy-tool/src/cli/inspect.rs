use clap::Args;

use super::{RegistryArguments, example::Example};

/// Arguments of `inspect`
#[derive(Debug, Args)]
pub struct InspectArguments {
    /// A module, the folder or archive of an OCI layout, an image that was built here, or one in a registry
    #[arg(value_name = "FILE|FOLDER|IMAGE")]
    pub what: String,
    /// How the registry is reached
    #[command(flatten)]
    pub registry: RegistryArguments,
}

/// Examples in the help of `inspect`.
pub const EXAMPLES: &[Example] = &[
    ("inspect app.wasm", "what the module imports, and whether it would run"),
    ("inspect image.tar --output json", "an image, for a program"),
    (
        "inspect docker.io/you/orders:1.2.3",
        "an image in a registry, and what is attached to it",
    ),
];
