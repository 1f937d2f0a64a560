//! Edge: the record of an installation, for its removal: in a folder beside the engine's files.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::configuration::Runtimes;
use diagnostics::{Error, Result};
use host::atomic_file;

/// Where engines are, as on nodes: crun finds its libraries by this path alone.
pub const ENGINES: &str = "/opt/wasm-engine";
/// The folder of the installation for Docker.
pub const FOLDER: &str = "/opt/wasm-engine/docker";
const FILE: &str = "/opt/wasm-engine/docker/installed.json";

/// The record of an installation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Installed {
    /// The engine's configuration.
    pub configuration: PathBuf,
    /// Its text before; none where it did not exist.
    pub before: Option<String>,
    /// The written text.
    pub written: String,
    /// The runtimes that were added, with their programs.
    pub runtimes: Runtimes,
    /// The crun.
    pub program: PathBuf,
    /// The folder with crun that was copied for this installation alone.
    pub copied: Option<PathBuf>,
    /// Whether the engine has taken it: a run that was cut off has not got so far.
    pub is_finished: bool,
}

/// Reads the record; none if nothing is installed.
///
/// # Errors
/// When it cannot be read.
pub fn read() -> Result<Option<Installed>> {
    let Some(text) = text(Path::new(FILE))? else {
        return Ok(None);
    };
    serde_json::from_str(&text)
        .map(Some)
        .map_err(|error| Error::prerequisite(format!("`{FILE}` cannot be read")).cause(error))
}

/// Writes it down.
///
/// # Errors
/// When that cannot be done.
pub fn write(installed: &Installed) -> Result<()> {
    let text =
        serde_json::to_string_pretty(installed).map_err(|error| Error::prerequisite("cannot write").cause(error))?;
    // A configuration may have passwords, of proxies for instance.
    replace(Path::new(FILE), &text, 0o600)
}

/// Forgets it.
///
/// # Errors
/// When that cannot be done.
pub fn remove() -> Result<()> {
    match fs::remove_dir_all(FOLDER) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            return Err(file_error("remove", Path::new(FOLDER), &error));
        }
        _ => {}
    }
    // Where a node's engine is, the folder is not empty.
    let _ = fs::remove_dir(ENGINES);
    Ok(())
}

/// A file's text; none where there is none.
///
/// # Errors
/// When it cannot be read.
pub fn text(path: &Path) -> Result<Option<String>> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(file_error("read", path, &error)),
    }
}

/// Replaces the text of a file atomically; it keeps its permissions, and a link stays a link.
///
/// # Errors
/// When it cannot be written.
pub fn replace(path: &Path, text: &str, new_mode: u32) -> Result<()> {
    let target = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let write = || {
        let folder = target.parent().unwrap_or(Path::new("/"));
        fs::create_dir_all(folder)?;
        atomic_file::replace(&target, text.as_bytes(), new_mode)
    };
    write().map_err(|error| file_error("write", path, &error))
}

/// Restores a file.
///
/// # Errors
/// When it cannot be written.
pub fn restore(path: &Path, before: Option<&str>) -> Result<()> {
    match before {
        Some(text) => replace(path, text, 0o644),
        None => match fs::remove_file(path) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(file_error("remove", path, &error)),
            _ => Ok(()),
        },
    }
}

/// The error of an action on a file of root.
pub fn file_error(action: &str, path: &Path, error: &std::io::Error) -> Error {
    let failure = Error::file(format!("cannot {action} `{}`", path.display()), error);
    match error.kind() {
        ErrorKind::PermissionDenied => failure.hint("run it as root: sudo deploy-tool docker …"),
        _ => failure,
    }
}
