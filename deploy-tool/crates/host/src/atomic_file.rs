//! Edge: files that appear whole or not at all.

use std::fs::{self, Permissions};
use std::io::{Result, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use tempfile::NamedTempFile;

/// Writes a file atomically. An existing file keeps its permissions; a new one gets `new_mode`, less the umask.
///
/// # Errors
/// When it cannot be written; then an existing file is unchanged.
pub fn replace(path: &Path, bytes: &[u8], new_mode: u32) -> Result<()> {
    let found = fs::metadata(path).ok().map(|found| found.permissions());
    // From its first byte on: there may be passwords in it.
    let file = stage(path, bytes, found.as_ref().map_or(new_mode, Permissions::mode))?;
    if let Some(permissions) = found {
        file.as_file().set_permissions(permissions)?;
    }
    file.persist(path).map(drop).map_err(|error| error.error)
}

/// Writes a temporary file beside a path, to be renamed by the caller; with `mode`, less the umask.
///
/// # Errors
/// When they cannot be written.
pub fn stage(path: &Path, bytes: &[u8], mode: u32) -> Result<NamedTempFile> {
    // A path of one part is in the current folder.
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let mut file = tempfile::Builder::new()
        .prefix(".part-")
        .permissions(Permissions::from_mode(mode))
        .tempfile_in(folder.unwrap_or(Path::new(".")))?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    Ok(file)
}
