//! Resolves symbolic links in paths of the node.

use std::fs;
use std::path::{Path, PathBuf};

use crate::report::InstallError;

/// Resolves the links of a path of which the last parts may not exist yet.
pub(super) fn resolve_path(path: &Path) -> Result<PathBuf, InstallError> {
    let existing = path.ancestors().find(|ancestor| fs::symlink_metadata(ancestor).is_ok());
    let existing = existing.unwrap_or(Path::new("/"));
    let resolved = canonicalize(existing)?;
    Ok(path
        .strip_prefix(existing)
        .map_or(resolved.clone(), |missing| resolved.join(missing)))
}

/// Resolves a file if it is a link; any other path stays as it is.
pub(super) fn resolve_link(path: &Path) -> Result<PathBuf, InstallError> {
    match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_symlink() => canonicalize(path),
        _ => Ok(path.to_owned()),
    }
}

fn canonicalize(path: &Path) -> Result<PathBuf, InstallError> {
    fs::canonicalize(path).map_err(|error| {
        InstallError::unsupported_node(format!("{} is a link that leads nowhere", path.display())).cause(error)
    })
}
