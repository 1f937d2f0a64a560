use clap::Args;

/// Arguments of `inspect`
#[derive(Debug, Args)]
pub struct InspectArguments {
    /// A module, the folder or archive of an OCI layout, or the reference of an image that was built here
    #[arg(value_name = "FILE|FOLDER|IMAGE")]
    pub what: String,
}
