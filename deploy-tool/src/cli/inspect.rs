use clap::Args;

use super::RegistryArguments;

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
