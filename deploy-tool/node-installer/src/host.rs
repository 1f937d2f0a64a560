//! Edge: the node's files and programs.

use std::fs::{self, File, TryLockError};
use std::io::{ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

use sha2::{Digest, Sha256};

use crate::report::Trouble;
use node_protocol::number::INSTALLER;

/// Gone with a restart of the node, like whoever holds it.
const LOCK: &str = "/run/wasm-engine.lock";

/// Makes the node's root folder that of this process: paths and links mean what they mean on the node.
///
/// # Errors
/// When the pod has not got it.
pub fn enter(root: &str) -> Result<(), Trouble> {
    std::os::unix::fs::chroot(root)
        .and_then(|()| std::env::set_current_dir("/"))
        .map_err(|error| {
            Trouble::new(INSTALLER, format!("the node's root folder cannot be entered at {root}")).because(error)
        })
}

/// Keeps other runs away from this node for as long as the value lives.
///
/// # Errors
/// When another one is at work.
pub fn lock() -> Result<File, Trouble> {
    let trouble = || Trouble::new(INSTALLER, "the node cannot be locked");
    let file = File::create(LOCK).map_err(|error| trouble().because(format!("{LOCK}: {error}")))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(trouble()
            .because("another run is at work on it")
            .next("wait until it has ended")),
        Err(TryLockError::Error(error)) => Err(trouble().because(format!("{LOCK}: {error}"))),
    }
}

/// Something about a file did not go well.
pub fn trouble(what: &str, path: &Path, error: impl std::fmt::Display) -> Trouble {
    Trouble::new(INSTALLER, format!("cannot {what} {} on the node", path.display())).because(error)
}

/// A file's text; none where there is no file.
///
/// # Errors
/// When it cannot be read.
pub fn read(path: &Path) -> Result<Option<String>, Trouble> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(None),
        Err(error) => Err(trouble("read", path, error)),
    }
}

/// Writes a file beside its place and moves it there: nobody ever sees half of it. Its mode stays.
///
/// # Errors
/// When it cannot be written.
pub fn write(path: &Path, text: &str) -> Result<(), Trouble> {
    let beside = beside(path);
    let written = || -> std::io::Result<()> {
        let mut file = File::create(&beside)?;
        if let Ok(there) = fs::metadata(path) {
            file.set_permissions(there.permissions())?;
        }
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&beside, path)
    };
    written().map_err(|error| trouble("write", path, error))
}

/// Where a file is written before it is moved to its place. The ending keeps it out of every `*.toml`.
pub fn beside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".wasm-engine");
    name.into()
}

/// Writes a file, or deletes it where there is to be none.
///
/// # Errors
/// When it cannot be done.
pub fn settle(path: &Path, text: Option<&str>) -> Result<(), Trouble> {
    match text {
        Some(text) => write(path, text),
        None => remove(path),
    }
}

/// Deletes a file, if it is there.
///
/// # Errors
/// When it cannot be deleted.
pub fn remove(path: &Path) -> Result<(), Trouble> {
    absent(fs::remove_file(path)).map_err(|error| trouble("delete", path, error))
}

/// Deletes a folder with all that is in it, if it is there.
///
/// # Errors
/// When it cannot be deleted.
pub fn remove_folder(path: &Path) -> Result<(), Trouble> {
    absent(fs::remove_dir_all(path)).map_err(|error| trouble("delete", path, error))
}

fn absent(removed: std::io::Result<()>) -> std::io::Result<()> {
    match removed {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

/// What a program has said.
#[derive(Debug)]
pub struct Said {
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
/// When it cannot be started; not when it ends badly.
pub fn run(program: &str, arguments: &[&str]) -> Result<Said, Trouble> {
    let output = Command::new(program)
        .args(arguments)
        .env_clear()
        .env("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
        // systemctl takes another root folder for a reason to do nothing, without a word.
        .env("SYSTEMD_IGNORE_CHROOT", "1")
        .output()
        .map_err(|error| Trouble::new(INSTALLER, format!("cannot run {program} on the node")).because(error))?;
    Ok(Said {
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
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_file_is_replaced_as_a_whole_and_keeps_its_mode() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        assert_eq!(read(&path).unwrap(), None);
        write(&path, "one").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        write(&path, "two").unwrap();
        assert_eq!(read(&path).unwrap().as_deref(), Some("two"));
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        settle(&path, None).unwrap();
        settle(&path, None).unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn checksums_are_those_of_sha256sum() {
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(checksum(&b""[..]).unwrap(), empty);
    }
}
