//! Edge: files, locks and programs of the node.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use rustix::fs::{MemfdFlags, memfd_create};
use sha2::{Digest, Sha256};

use crate::report::InstallError;
use node_protocol::number::INSTALLER;

/// On a tmpfs: it does not survive a restart of the node.
const LOCK: &str = "/run/wasm-engine.lock";
/// Mode of new files: a configuration may have passwords of registries in it.
const PRIVATE: u32 = 0o600;
/// Suffix of a file that is written before it is renamed: imports of `*.toml` do not match it.
pub const STAGING_SUFFIX: &str = ".wasm-engine";
/// Time limit of a program that only reads.
pub const LOOK_LIMIT: Duration = Duration::from_secs(30);

/// chroot into the node's root folder, so that paths and links are resolved as on the node.
///
/// # Errors
/// When the pod does not mount it.
pub fn enter_root(root: &str) -> Result<(), InstallError> {
    std::os::unix::fs::chroot(root)
        .and_then(|()| std::env::set_current_dir("/"))
        .map_err(|error| {
            InstallError::new(INSTALLER, format!("the node's root folder cannot be entered at {root}")).cause(error)
        })
}

/// Which lock a run takes on the node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// A shared one: it changes nothing, and the file system may be read-only.
    Read,
    /// An exclusive one.
    Write,
}

/// Locks the node until the value is dropped. A reader takes no lock where the lock file does not exist: nothing has been
/// changed since the node was started.
///
/// # Errors
/// When another run has the lock.
pub fn lock(access: Access) -> Result<Option<File>, InstallError> {
    lock_at(Path::new(LOCK), access)
}

fn lock_at(path: &Path, access: Access) -> Result<Option<File>, InstallError> {
    let lock_error = || InstallError::new(INSTALLER, "the node cannot be locked");
    let opened = match access {
        Access::Read => File::open(path),
        Access::Write => private_file(path),
    };
    let file = match opened {
        Err(error) if access == Access::Read && error.kind() == ErrorKind::NotFound => return Ok(None),
        opened => opened.map_err(|error| lock_error().cause(format!("{}: {error}", path.display())))?,
    };
    let locked = match access {
        Access::Read => file.try_lock_shared(),
        Access::Write => file.try_lock(),
    };
    match locked {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Err(lock_error()
            .cause("another run is at work on it")
            .hint("wait until it has ended")),
        Err(TryLockError::Error(error)) => Err(lock_error().cause(format!("{}: {error}", path.display()))),
    }
}

/// Ignores SIGTERM, so that a change that has begun is finished or rolled back. Every wait has a time limit, and SIGKILL
/// still ends the process.
///
/// # Errors
/// When the kernel refuses.
pub fn ignore_termination() -> Result<(), InstallError> {
    let signal_error = |error| InstallError::new(INSTALLER, "signals cannot be held back").cause(error);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    // tokio keeps the handler installed after the stream is dropped.
    let _handled = runtime
        .map_err(signal_error)?
        .block_on(async { tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) })
        .map_err(signal_error)?;
    Ok(())
}

/// The error of an action on a file of the node.
pub fn file_error(action: &str, path: &Path, error: impl std::fmt::Display) -> InstallError {
    InstallError::new(INSTALLER, format!("cannot {action} {} on the node", path.display())).cause(error)
}

/// Reads a file; none where it does not exist.
///
/// # Errors
/// When it cannot be read.
pub fn read(path: &Path) -> Result<Option<String>, InstallError> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(None),
        Err(error) => Err(file_error("read", path, error)),
    }
}

/// Writes a file atomically: into a staging file, which is renamed. Mode and owner stay as they are; only root can read a
/// new file.
///
/// # Errors
/// When it cannot be written.
pub fn write(path: &Path, text: &str) -> Result<(), InstallError> {
    let staging = sibling_path(path);
    let written = || -> std::io::Result<()> {
        ignore_not_found(fs::remove_file(&staging))?;
        let mut file = private_file(&staging)?;
        file.write_all(text.as_bytes())?;
        if let Ok(old) = fs::metadata(path) {
            let new = file.metadata()?;
            if (new.uid(), new.gid()) != (old.uid(), old.gid()) {
                std::os::unix::fs::fchown(&file, Some(old.uid()), Some(old.gid()))?;
            }
            file.set_permissions(old.permissions())?;
        }
        file.sync_all()?;
        fs::rename(&staging, path)?;
        sync_parent(path)
    };
    written().map_err(|error| file_error("write", path, error))
}

/// Lets only root read a file, if it exists.
///
/// # Errors
/// When its mode cannot be changed.
pub fn make_private(path: &Path) -> Result<(), InstallError> {
    ignore_not_found(fs::set_permissions(path, fs::Permissions::from_mode(PRIVATE)))
        .map_err(|error| file_error("protect", path, error))
}

fn private_file(path: &Path) -> std::io::Result<File> {
    OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(PRIVATE)
        .open(path)
}

/// fsync of the parent folder, so that a new, renamed or deleted file survives a power failure.
///
/// # Errors
/// When the folder that has it cannot be written.
pub fn sync_parent(path: &Path) -> std::io::Result<()> {
    match path.parent() {
        Some(folder) => File::open(folder)?.sync_all(),
        None => Ok(()),
    }
}

/// The topmost parent folder of a file that does not exist yet.
pub fn missing_folder(path: &Path) -> Option<PathBuf> {
    let above = path.ancestors().skip(1);
    above.take_while(|folder| !folder.exists()).last().map(Path::to_owned)
}

/// Deletes the empty parent folders of a file, up to `topmost`.
///
/// # Errors
/// When one cannot be deleted though it is empty.
pub fn remove_empty_folders(path: &Path, topmost: &Path) -> Result<(), InstallError> {
    for folder in path
        .ancestors()
        .skip(1)
        .take_while(|folder| folder.starts_with(topmost))
    {
        match fs::remove_dir(folder) {
            Err(error) if error.kind() == ErrorKind::DirectoryNotEmpty => break,
            removed => ignore_not_found(removed).map_err(|error| file_error("delete", folder, error))?,
        }
    }
    Ok(())
}

/// The path of the staging file of a file.
pub fn sibling_path(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(STAGING_SUFFIX);
    name.into()
}

/// Writes a file, or deletes it where the text is none.
///
/// # Errors
/// When it cannot be done.
pub fn write_or_remove(path: &Path, text: Option<&str>) -> Result<(), InstallError> {
    match text {
        Some(text) => write(path, text),
        None => remove(path),
    }
}

/// Deletes a file, if it is there.
///
/// # Errors
/// When it cannot be deleted.
pub fn remove(path: &Path) -> Result<(), InstallError> {
    let removed = match fs::remove_file(path) {
        Ok(()) => sync_parent(path),
        failed => ignore_not_found(failed),
    };
    removed.map_err(|error| file_error("delete", path, error))
}

/// Deletes a folder with all that is in it, if it is there.
///
/// # Errors
/// When it cannot be deleted.
pub fn remove_folder(path: &Path) -> Result<(), InstallError> {
    let removed = match fs::remove_dir_all(path) {
        Ok(()) => sync_parent(path),
        failed => ignore_not_found(failed),
    };
    removed.map_err(|error| file_error("delete", path, error))
}

fn ignore_not_found(removed: std::io::Result<()>) -> std::io::Result<()> {
    match removed {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        failed => failed,
    }
}

/// The output of a program.
#[derive(Debug)]
pub struct CommandOutput {
    /// Whether its exit status was 0.
    pub success: bool,
    /// Its standard output.
    pub stdout: String,
    /// Its standard error.
    pub stderr: String,
}

/// Runs a program of the node.
///
/// # Errors
/// When it cannot be started, or does not end in time. A failure of the program is no error: see [`CommandOutput::success`].
pub fn run(program: &str, arguments: &[&str], limit: Duration) -> Result<CommandOutput, InstallError> {
    run_with(program, arguments, limit, Stdio::null())
}

/// Runs a program of the node with a text as its standard input: a memfd, which can be opened more than once by the path
/// `/proc/self/fd/0`, and needs no file on the node.
///
/// # Errors
/// As [`run`].
pub fn run_with_stdin(
    text: &str,
    program: &str,
    arguments: &[&str],
    limit: Duration,
) -> Result<CommandOutput, InstallError> {
    let input = || -> std::io::Result<File> {
        let mut file = File::from(memfd_create("configuration", MemfdFlags::CLOEXEC)?);
        file.write_all(text.as_bytes())?;
        Ok(file)
    };
    let input = input().map_err(|error| cannot_run(program).cause(error))?;
    run_with(program, arguments, limit, Stdio::from(input))
}

fn cannot_run(program: &str) -> InstallError {
    InstallError::new(INSTALLER, format!("cannot run {program} on the node"))
}

fn run_with(program: &str, arguments: &[&str], limit: Duration, input: Stdio) -> Result<CommandOutput, InstallError> {
    let mut command = tokio::process::Command::new(program);
    command
        .args(arguments)
        .env_clear()
        .env("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
        // In a chroot, systemctl ignores commands silently without this.
        .env("SYSTEMD_IGNORE_CHROOT", "1")
        .stdin(input)
        .kill_on_drop(true);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| cannot_run(program).cause(error))?;
    let output = runtime.block_on(async { tokio::time::timeout(limit, command.output()).await });
    let output = output
        .map_err(|_| {
            let line = format!(
                "`{program} {}` has not ended within {} s",
                arguments.join(" "),
                limit.as_secs()
            );
            cannot_run(program).cause(line)
        })?
        .map_err(|error| cannot_run(program).cause(error))?;
    Ok(CommandOutput {
        success: output.status.success(),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    })
}

/// SHA-256 of a reader, in hexadecimal digits.
///
/// # Errors
/// When it cannot be read to its end.
pub fn checksum(mut from: impl Read) -> std::io::Result<String> {
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        match from.read(&mut buffer)? {
            0 => break,
            count => hash.update(&buffer[..count]),
        }
    }
    Ok(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests;
