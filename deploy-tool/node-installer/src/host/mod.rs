//! Edge: the node's files and programs.

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

/// Gone with a restart of the node, like whoever holds it.
const LOCK: &str = "/run/wasm-engine.lock";
/// For whoever has a copy of a configuration: there may be passwords in it.
const PRIVATE: u32 = 0o600;
/// The ending of what is written before it is moved to its place: it keeps it out of every `*.toml`.
pub const BESIDE: &str = ".wasm-engine";
/// How long a program may take that only looks at something.
pub const LOOK_LIMIT: Duration = Duration::from_secs(30);

/// Makes the node's root folder that of this process: paths and links mean what they mean on the node.
///
/// # Errors
/// When the pod has not got it.
pub fn enter(root: &str) -> Result<(), InstallError> {
    std::os::unix::fs::chroot(root)
        .and_then(|()| std::env::set_current_dir("/"))
        .map_err(|error| {
            InstallError::new(INSTALLER, format!("the node's root folder cannot be entered at {root}")).cause(error)
        })
}

/// What a run does to the node, as far as others must wait for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// It only looks, and may find the node's file system read-only.
    Read,
    /// It changes something.
    Write,
}

/// Keeps runs that change something away from this node for as long as the value lives. Where nothing was ever changed since
/// the node was started, there is nothing to be kept from who only looks.
///
/// # Errors
/// When another one is at work.
pub fn lock(access: Access) -> Result<Option<File>, InstallError> {
    lock_at(Path::new(LOCK), access)
}

fn lock_at(path: &Path, access: Access) -> Result<Option<File>, InstallError> {
    let trouble = || InstallError::new(INSTALLER, "the node cannot be locked");
    let opened = match access {
        Access::Read => File::open(path),
        Access::Write => private_file(path),
    };
    let file = match opened {
        Err(error) if access == Access::Read && error.kind() == ErrorKind::NotFound => return Ok(None),
        opened => opened.map_err(|error| trouble().cause(format!("{}: {error}", path.display())))?,
    };
    let locked = match access {
        Access::Read => file.try_lock_shared(),
        Access::Write => file.try_lock(),
    };
    match locked {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Err(trouble()
            .cause("another run is at work on it")
            .hint("wait until it has ended")),
        Err(TryLockError::Error(error)) => Err(trouble().cause(format!("{}: {error}", path.display()))),
    }
}

/// Has SIGTERM do nothing: a change that has begun comes to its end or back to its beginning. All that is waited for has a
/// limit, and SIGKILL ends this all the same.
///
/// # Errors
/// When the kernel refuses.
pub fn ignore_termination() -> Result<(), InstallError> {
    let trouble = |error| InstallError::new(INSTALLER, "signals cannot be held back").cause(error);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    // Once there is a handler, it stays for the life of the process.
    let _handled = runtime
        .map_err(trouble)?
        .block_on(async { tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) })
        .map_err(trouble)?;
    Ok(())
}

/// Something about a file did not go well.
pub fn file_error(what: &str, path: &Path, error: impl std::fmt::Display) -> InstallError {
    InstallError::new(INSTALLER, format!("cannot {what} {} on the node", path.display())).cause(error)
}

/// A file's text; none where there is no file.
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

/// Writes a file beside its place and moves it there: nobody ever sees half of it, and a loss of power leaves the one or the
/// other. Its mode and its owner stay; a new one is for root alone.
///
/// # Errors
/// When it cannot be written.
pub fn write(path: &Path, text: &str) -> Result<(), InstallError> {
    let beside = sibling_path(path);
    let written = || -> std::io::Result<()> {
        absent(fs::remove_file(&beside))?;
        let mut file = private_file(&beside)?;
        file.write_all(text.as_bytes())?;
        if let Ok(old) = fs::metadata(path) {
            let new = file.metadata()?;
            if (new.uid(), new.gid()) != (old.uid(), old.gid()) {
                std::os::unix::fs::fchown(&file, Some(old.uid()), Some(old.gid()))?;
            }
            file.set_permissions(old.permissions())?;
        }
        file.sync_all()?;
        fs::rename(&beside, path)?;
        sync_parent(path)
    };
    written().map_err(|error| file_error("write", path, error))
}

/// Has only root read a file, where it is there.
///
/// # Errors
/// When its mode cannot be changed.
pub fn make_private(path: &Path) -> Result<(), InstallError> {
    absent(fs::set_permissions(path, fs::Permissions::from_mode(PRIVATE)))
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

/// Has a new, moved or deleted name of a file outlive a loss of power.
///
/// # Errors
/// When the folder that has it cannot be written.
pub fn sync_parent(path: &Path) -> std::io::Result<()> {
    match path.parent() {
        Some(folder) => File::open(folder)?.sync_all(),
        None => Ok(()),
    }
}

/// The topmost of the folders above a file that are not there yet.
pub fn missing_folder(path: &Path) -> Option<PathBuf> {
    let above = path.ancestors().skip(1);
    above.take_while(|folder| !folder.exists()).last().map(Path::to_owned)
}

/// Deletes the folders above a file up to `topmost`, as far as nothing is in them.
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
            removed => absent(removed).map_err(|error| file_error("delete", folder, error))?,
        }
    }
    Ok(())
}

/// Where a file is written before it is moved to its place.
pub fn sibling_path(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(BESIDE);
    name.into()
}

/// Writes a file, or deletes it where there is to be none.
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
        other => absent(other),
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
        other => absent(other),
    };
    removed.map_err(|error| file_error("delete", path, error))
}

fn absent(removed: std::io::Result<()>) -> std::io::Result<()> {
    match removed {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

/// What a program has said.
#[derive(Debug)]
pub struct CommandOutput {
    /// Whether it ended with 0.
    pub success: bool,
    /// Its standard output.
    pub stdout: String,
    /// Its standard error.
    pub stderr: String,
}

/// Runs a program of the node.
///
/// # Errors
/// When it cannot be started, or does not end in time; not when it ends badly.
pub fn run(program: &str, arguments: &[&str], limit: Duration) -> Result<CommandOutput, InstallError> {
    run_with(program, arguments, limit, Stdio::null())
}

/// Runs a program of the node that can read a text at `/proc/self/fd/0`, as often as it likes. No file of the node is needed
/// for that.
///
/// # Errors
/// When it cannot be started, or does not end in time; not when it ends badly.
pub fn run_on(text: &str, program: &str, arguments: &[&str], limit: Duration) -> Result<CommandOutput, InstallError> {
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
        // systemctl takes another root folder for a reason to do nothing, without a word.
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

/// SHA-256 of what can be read.
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
