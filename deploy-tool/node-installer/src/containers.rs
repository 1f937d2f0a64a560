//! Edge: finds the versions of the engine that running containers need. The runtime stops and deletes a container with the
//! crun that has started it, so that version must stay.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::detect::Node;
use crate::host::file_error;
use crate::record::FOLDER;
use crate::report::InstallError;
use node_protocol::number::IN_USE;

/// The folder with the tasks of containerd, by namespace, below its folder of state.
const TASKS: &str = "io.containerd.runtime.v2.task";
/// The files of a task in which the shim writes the path of the runtime's program.
const NOTES: [&str; 2] = ["runtime", "options.json"];
/// The containers of a deleted pod are stopped some seconds later.
const LIMIT: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_millis(200);

/// A container, or a process of one, that needs a version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EngineUser {
    /// The version.
    pub version: String,
    /// The folder of the task or process.
    pub name: PathBuf,
}

/// Lists the tasks and processes that need any version of the engine.
///
/// # Errors
/// When the tasks or processes cannot be read.
pub fn list_users(node: &Node) -> Result<Vec<EngineUser>, InstallError> {
    let state = node.dump.as_ref().and_then(|dump| dump.state());
    let tasks = Path::new(state.unwrap_or("/run/containerd")).join(TASKS);
    let mut users = Vec::new();
    for namespace in list_folders(&tasks)? {
        for task in list_folders(&namespace)? {
            let notes = NOTES.iter().map(|note| task.join(note));
            users.extend(find_user(&task, notes.filter_map(|note| read_lossy(&note))));
        }
    }
    for process in list_folders(Path::new("/proc"))? {
        // crun runs a Wasm guest in its own process.
        let program = fs::read_link(process.join("exe")).ok();
        let program = program.map(|program| program.display().to_string());
        // CRI-O starts a conmon for each container, with the path of the runtime as an argument.
        let line = read_lossy(&process.join("cmdline")).filter(|_| node.dump.is_none());
        users.extend(find_user(&process, program.into_iter().chain(line)));
    }
    Ok(users)
}

fn find_user(name: &Path, notes: impl Iterator<Item = String>) -> Option<EngineUser> {
    let mut versions = notes.filter_map(|note| version_in(&note).map(str::to_owned));
    versions.next().map(|version| EngineUser {
        version,
        name: name.to_owned(),
    })
}

/// The version in the path of the engine that a text contains.
fn version_in(text: &str) -> Option<&str> {
    let (_, below) = text.split_once(FOLDER)?;
    let version = below.strip_prefix('/')?.split(['/', '"', '\0']).next()?;
    (!version.is_empty()).then_some(version)
}

/// None for a task or process that ends during the scan.
fn read_lossy(path: &Path) -> Option<String> {
    fs::read(path)
        .ok()
        .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
}

fn list_folders(path: &Path) -> Result<Vec<PathBuf>, InstallError> {
    let entries = match fs::read_dir(path) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(file_error("read", path, error)),
    };
    let entries = entries.filter_map(Result::ok);
    Ok(entries
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
        .map(|entry| entry.path())
        .collect())
}

/// Waits until no container needs these versions.
///
/// # Errors
/// When one still does after the time limit: which.
pub fn wait_until_unused(node: &Node, versions: &[String]) -> Result<(), InstallError> {
    let end = Instant::now() + LIMIT;
    loop {
        let users: Vec<EngineUser> = list_users(node)?
            .into_iter()
            .filter(|user| versions.contains(&user.version))
            .collect();
        if users.is_empty() {
            return Ok(());
        }
        if Instant::now() >= end {
            return Err(in_use_error(&users));
        }
        std::thread::sleep(PAUSE);
    }
}

fn in_use_error(users: &[EngineUser]) -> InstallError {
    let names = users
        .iter()
        .take(5)
        .map(|user| format!("{} needs {}", user.name.display(), user.version));
    let error = InstallError::new(IN_USE, "containers run that need the engine to end, too; it stays");
    let error = names.fold(error, InstallError::cause);
    let error = match users.len().saturating_sub(5) {
        0 => error,
        more => error.cause(format!("and {more} more")),
    };
    error.hint(
        "delete their pods or have them moved to other nodes (`deploy-tool node remove --drain`), and run this again",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_in_what_runtimes_note_of_their_program() {
        for (note, expected) in [
            ("/opt/wasm-engine/crun-1/bin/crun", Some("crun-1")),
            (
                r#"{"binary_name":"/opt/wasm-engine/crun-2/bin/crun","systemd_cgroup":true}"#,
                Some("crun-2"),
            ),
            (
                "/usr/bin/conmon\0-r\0/opt/wasm-engine/crun-3/bin/crun\0-c\0id",
                Some("crun-3"),
            ),
            ("/usr/bin/runc", None),
            ("/opt/wasm-engine", None),
            ("/opt/wasm-engine/", None),
            ("", None),
        ] {
            assert_eq!(version_in(note), expected, "{note}");
        }
    }
}
