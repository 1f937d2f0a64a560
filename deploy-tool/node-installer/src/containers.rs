//! Edge: which versions of the engine containers need. The runtime stops and removes them by the crun that they were started
//! with.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::detect::Node;
use crate::host::file_error;
use crate::record::FOLDER;
use crate::report::InstallError;
use node_protocol::number::IN_USE;

/// containerd's folder for each container that has a process, below that of its state and a namespace.
const TASKS: &str = "io.containerd.runtime.v2.task";
/// Files of such a folder in which the shim notes the runtime's program.
const NOTES: [&str; 2] = ["runtime", "options.json"];
/// A pod that was deleted has its containers for some seconds more.
const LIMIT: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_millis(200);

/// A container, or a process of one, that needs a version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// The version.
    pub version: String,
    /// The folder that says so.
    pub name: PathBuf,
}

/// All that need any version.
///
/// # Errors
/// When what runs cannot be read.
pub fn users(node: &Node) -> Result<Vec<User>, InstallError> {
    let state = node.dump.as_ref().and_then(|dump| dump.state());
    let tasks = Path::new(state.unwrap_or("/run/containerd")).join(TASKS);
    let mut users = Vec::new();
    for namespace in folders(&tasks)? {
        for task in folders(&namespace)? {
            let notes = NOTES.iter().map(|note| task.join(note));
            users.extend(user(&task, notes.filter_map(|note| text(&note))));
        }
    }
    for process in folders(Path::new("/proc"))? {
        // A guest is a process of the engine itself.
        let program = fs::read_link(process.join("exe")).ok();
        let program = program.map(|program| program.display().to_string());
        // CRI-O has a process for each container that is told the runtime's path.
        let line = text(&process.join("cmdline")).filter(|_| node.dump.is_none());
        users.extend(user(&process, program.into_iter().chain(line)));
    }
    Ok(users)
}

fn user(name: &Path, notes: impl Iterator<Item = String>) -> Option<User> {
    let mut versions = notes.filter_map(|note| version_in(&note).map(str::to_owned));
    versions.next().map(|version| User {
        version,
        name: name.to_owned(),
    })
}

/// The version of the engine whose path a text has.
fn version_in(text: &str) -> Option<&str> {
    let (_, below) = text.split_once(FOLDER)?;
    let version = below.strip_prefix('/')?.split(['/', '"', '\0']).next()?;
    (!version.is_empty()).then_some(version)
}

/// What ends while it is looked at is not there any more.
fn text(path: &Path) -> Option<String> {
    fs::read(path)
        .ok()
        .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
}

fn folders(path: &Path) -> Result<Vec<PathBuf>, InstallError> {
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

/// Waits until no container needs some versions.
///
/// # Errors
/// When one still does after a while: which.
pub fn wait(node: &Node, versions: &[String]) -> Result<(), InstallError> {
    let end = Instant::now() + LIMIT;
    loop {
        let users: Vec<User> = users(node)?
            .into_iter()
            .filter(|user| versions.contains(&user.version))
            .collect();
        if users.is_empty() {
            return Ok(());
        }
        if Instant::now() >= end {
            return Err(in_use(&users));
        }
        std::thread::sleep(PAUSE);
    }
}

fn in_use(users: &[User]) -> InstallError {
    let names = users
        .iter()
        .take(5)
        .map(|user| format!("{} needs {}", user.name.display(), user.version));
    let trouble = InstallError::new(IN_USE, "containers run that need the engine to end, too; it stays");
    let trouble = names.fold(trouble, InstallError::cause);
    let trouble = match users.len().saturating_sub(5) {
        0 => trouble,
        more => trouble.cause(format!("and {more} more")),
    };
    trouble.hint(
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
