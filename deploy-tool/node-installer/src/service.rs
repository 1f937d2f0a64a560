//! Edge: the systemd unit of the runtime.

use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use crate::cri;
use crate::host::{self, LOOK_LIMIT};
use crate::report::InstallError;
use node_protocol::number::INSTALLER;

/// How many lines of the unit's log are shown.
const LOG_LINES: &str = "--lines=12";

/// By default, systemd gives a unit 90 s to stop and 90 s to start.
const RESTART_LIMIT: Duration = Duration::from_secs(200);

/// The sockets by which crun asks systemd for the cgroup of a container: the system bus, else systemd's private socket.
pub const SYSTEMD: [&str; 2] = ["/run/dbus/system_bus_socket", "/run/systemd/private"];

/// Connects to the first of these sockets that accepts.
///
/// # Errors
/// When none accepts: the reason for each.
pub fn connect_any(sockets: &[impl AsRef<Path>]) -> Result<(), Vec<String>> {
    let mut refused = Vec::new();
    for socket in sockets {
        match UnixStream::connect(socket) {
            Ok(_) => return Ok(()),
            Err(error) => refused.push(format!("{}: {error}", socket.as_ref().display())),
        }
    }
    Err(refused)
}

/// Restarts the unit of the runtime and waits until its CRI server is ready. Pods keep running.
///
/// # Errors
/// When it does not become ready: the messages, and the end of the log.
pub fn restart_runtime(unit: &str, socket: &Path) -> Result<(), Vec<String>> {
    // systemd refuses further starts after several in a short time: https://www.freedesktop.org/software/systemd/man/systemd.unit.html
    host::run("systemctl", &["reset-failed", unit], LOOK_LIMIT).map_err(InstallError::into_lines)?;
    let started = host::run("systemctl", &["restart", unit], RESTART_LIMIT).map_err(InstallError::into_lines)?;
    if !started.success {
        return Err(append_log(unit, started.stderr));
    }
    cri::wait_until_ready(socket).map_err(|error| append_log(unit, error))
}

/// The KillMode of the unit.
///
/// # Errors
/// When systemd does not answer.
pub fn read_kill_mode(unit: &str) -> Result<String, InstallError> {
    let shown = host::run(
        "systemctl",
        &["show", "--property=KillMode", "--value", unit],
        LOOK_LIMIT,
    )?;
    if shown.success {
        Ok(shown.stdout.trim().to_owned())
    } else {
        Err(InstallError::new(INSTALLER, "systemd does not answer on the node").cause(shown.stderr))
    }
}

fn append_log(unit: &str, message: String) -> Vec<String> {
    let arguments = ["--no-pager", "--output=cat", LOG_LINES, "--unit", unit];
    let log = host::run("journalctl", &arguments, LOOK_LIMIT)
        .map(|output| output.stdout)
        .unwrap_or_default();
    [message, log]
        .into_iter()
        .filter(|text| !text.trim().is_empty())
        .collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::os::unix::net::UnixListener;

    use super::*;

    #[test]
    fn one_socket_at_which_somebody_listens_is_enough() {
        let folder = tempfile::tempdir().unwrap();
        let [missing, deserted, open] = ["missing", "deserted", "open"].map(|name| folder.path().join(name));
        drop(UnixListener::bind(&deserted).unwrap());
        let _listener = UnixListener::bind(&open).unwrap();
        assert_eq!(connect_any(&[&missing, &deserted, &open]), Ok(()));
        let refused = connect_any(&[&missing, &deserted]).unwrap_err();
        assert_eq!(refused.len(), 2);
        assert!(refused[0].contains("missing: No such file") && refused[1].contains("deserted: Connection refused"));
    }
}
