//! Which cluster, which release of it, which objects: the same for every verb that touches a cluster.

use std::path::PathBuf;

use clap::Args;
use diagnostics::Result;
use releases::release::Name;

/// Which cluster, which objects
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Cluster")]
pub struct ClusterArguments {
    /// Context of the kubeconfig to act on
    #[arg(long, value_name = "NAME", hide_env_values = true, env = "DEPLOY_TOOL_CONTEXT", default_value = cluster::kubeconfig::default_context())]
    pub context: String,
    /// Namespace of the release [default: the one that the manifests name]
    ///
    /// Also that of objects whose manifest names none.
    #[arg(long, short, value_name = "NAME")]
    pub namespace: Option<String>,
    /// Name of the release [default: the namespace's name]
    ///
    /// A release owns what it has applied: two of them can live in one namespace, and neither touches the other's objects.
    #[arg(long, value_name = "NAME")]
    pub release: Option<String>,
    /// Files or folders of the objects, YAML or JSON; - is the standard input
    #[arg(long, short = 'f', value_name = "PATH", default_value = "manifests")]
    manifests: Vec<PathBuf>,
    /// Read the subfolders of the folders too
    ///
    /// All that are not hidden, however deep; links are not followed.
    #[arg(long, short = 'R')]
    recursive: bool,
}

impl ClusterArguments {
    /// The files and folders of the objects, the subfolders among them where they are asked for.
    ///
    /// # Errors
    /// When a folder cannot be read.
    pub fn manifests(&self) -> Result<Vec<PathBuf>> {
        if self.recursive {
            releases::manifest::with_subfolders(&self.manifests)
        } else {
            Ok(self.manifests.clone())
        }
    }

    /// The files and folders of the objects as they were named.
    pub fn named_manifests(&self) -> &[PathBuf] {
        &self.manifests
    }

    /// The release that is meant.
    ///
    /// # Errors
    /// When the manifests are there and cannot be used, or do not say where the release is.
    pub fn release(&self) -> Result<Name> {
        releases::manifest::release_of(self.namespace.as_deref(), self.release.as_deref(), &self.manifests()?)
    }
}
