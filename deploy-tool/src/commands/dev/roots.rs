//! Edge: the files that a deployment is made of: sources, manifests, image definitions.

use std::path::{Path, PathBuf};

use crate::cli::{ClusterArguments, SourceArguments};
use crate::commands::build;
use crate::watching::Roots;
use diagnostics::Result;
use releases::manifest;
use wasm_build::compile;

/// The files of a deployment, by the manifests as they are now.
///
/// # Errors
/// When the manifests, a definition or a workspace cannot be read.
pub async fn roots(cluster_arguments: &ClusterArguments, source: &SourceArguments) -> Result<Roots> {
    let mut roots = manifests(cluster_arguments);
    let objects = manifest::load(&cluster_arguments.manifests()?)?;
    for name in manifest::placeholders(&objects) {
        let definition = build::definition(source, &name)?;
        let own = source.images.join(&name);
        roots.folders.extend(own.is_dir().then_some(own));
        let folder = match (&source.workspace, &definition.workspace) {
            (None, Some(workspace)) => source.images.join(&name).join(workspace),
            _ => source.folder().to_owned(),
        };
        let workspace = compile::workspace(&folder).await?;
        let lock = std::fs::read_to_string(workspace.root.join("Cargo.lock")).unwrap_or_default();
        roots
            .files
            .extend(["Cargo.toml", "Cargo.lock"].map(|file| workspace.root.join(file)));
        // A missing package is reported by the build.
        let packages = workspace
            .package_sources(&definition.package, &lock)
            .unwrap_or_default();
        roots
            .folders
            .extend(packages.iter().map(|package| package.folder().to_owned()));
        roots.folders.extend(workspace.inner_folders().map(Path::to_owned));
    }
    Ok(roots)
}

/// The manifests alone, for when nothing else is known.
pub fn manifests(cluster_arguments: &ClusterArguments) -> Roots {
    let (folders, files): (Vec<PathBuf>, Vec<PathBuf>) = cluster_arguments
        .named_manifests()
        .iter()
        .cloned()
        .partition(|path: &PathBuf| path.is_dir());
    let files = files.into_iter().filter(|path| path != Path::new("-"));
    Roots {
        folders: folders.into_iter().collect(),
        files: files.collect(),
    }
}
