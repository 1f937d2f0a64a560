use std::path::{Path, PathBuf};

use clap::Args;

use super::{Aot, example::Example};

/// What is compiled
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Source")]
pub struct SourceArguments {
    /// Folder of the Cargo workspace [default: the one that the image's definition names, or .]
    #[arg(long, value_name = "DIR")]
    pub workspace: Option<PathBuf>,
    /// Folder of the image definitions, one folder for each deploy-tool://NAME
    #[arg(long, value_name = "DIR", default_value = "oci")]
    pub images: PathBuf,
}

impl SourceArguments {
    /// The folder that all definitions are of.
    pub fn folder(&self) -> &Path {
        self.workspace.as_deref().unwrap_or(Path::new("."))
    }
}

/// Arguments of `build`
#[derive(Debug, Args)]
pub struct BuildArguments {
    /// Name of the image to build: the folder of its definition [default: app, or the only one]
    pub image: Option<String>,
    /// Also write the image as one tar file, for `podman load`, `ctr images import` or skopeo
    #[arg(long, value_name = "FILE")]
    pub archive: Option<PathBuf>,
    /// Pack this module as it is, instead of compiling one: plain or compiled ahead of time
    #[arg(long, value_name = "FILE", conflicts_with = "aot")]
    pub module: Option<PathBuf>,
    /// How ahead-of-time (AOT) compiled code is packed
    ///
    /// Replicas on a node share a shared object: less memory, and a quicker start. `up` takes it by itself where every node
    /// has the builder's release of WasmEdge: another one cannot run it at all.
    #[arg(long, value_name = "FORM", default_value = "section")]
    pub aot: Aot,
    /// Run at the lowest CPU priority (nice 19), as `up --dev` does in the background
    #[arg(long)]
    pub low_priority: bool,
    /// Say which commit it is built from, in the index alone; refused where something is not committed
    #[arg(long)]
    pub revision: bool,
    /// What to compile
    #[command(flatten)]
    pub source: SourceArguments,
}

/// Examples in the help of `build`.
pub const EXAMPLES: &[Example] = &[
    ("build", "the image of oci/app, packed and named by its digest"),
    ("build events --output json", "another image; its parts for a program"),
];
