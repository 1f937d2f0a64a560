//! Which cluster, which release of it, which objects: the same for every verb that touches a cluster.

use std::path::PathBuf;

use clap::Args;

/// Which cluster, which objects
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Place")]
pub struct Place {
    /// Context of the kubeconfig to act on; the current context is never used
    #[arg(long, env = "DEPLOY_TOOL_CONTEXT", default_value = crate::settings::DEFAULT_CONTEXT)]
    pub context: String,
    /// Namespace of the release, and of objects whose manifest names none [default: the one that the manifests name]
    #[arg(long, short)]
    pub namespace: Option<String>,
    /// Name of the release, which owns what it has applied [default: the namespace's name]
    #[arg(long, value_name = "NAME")]
    pub release: Option<String>,
    /// YAML or JSON files of the objects, or folders of them; `-` is the standard input
    #[arg(long, short = 'f', value_name = "PATH", default_value = "manifests")]
    pub manifests: Vec<PathBuf>,
}
