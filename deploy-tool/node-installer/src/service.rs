//! Edge: the runtime's unit, and systemd, which has it.

use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use crate::cri;
use crate::host::{self, LOOK_LIMIT};
use crate::report::InstallError;
use node_protocol::number::INSTALLER;

/// How many lines of the unit's log are shown.
const LOG_LINES: &str = "--lines=12";

/// systemd gives a unit 90 s to stop and as long to start, unless it says otherwise.
const RESTART_LIMIT: Duration = Duration::from_secs(200);

/// Where the engine asks systemd for the cgroup of a container: over the system's bus, and else at systemd's own socket.
pub const SYSTEMD: [&str; 2] = ["/run/dbus/system_bus_socket", "/run/systemd/private"];

/// Connects to the first of these sockets that somebody listens at.
///
/// # Errors
/// When nobody listens at any: why, for each.
pub fn connect(sockets: &[impl AsRef<Path>]) -> Result<(), Vec<String>> {
    let mut refused = Vec::new();
    for socket in sockets {
        match UnixStream::connect(socket) {
            Ok(_) => return Ok(()),
            Err(error) => refused.push(format!("{}: {error}", socket.as_ref().display())),
        }
    }
    Err(refused)
}

/// Starts the runtime again and waits until it answers as the kubelet needs it. Pods go on meanwhile.
///
/// # Errors
/// When it does not: what it said.
pub fn restart(unit: &str, socket: &Path) -> Result<(), Vec<String>> {
    let causes = |trouble: InstallError| [vec![trouble.sentence], trouble.because].concat();
    // Several starts in a short time are taken for a loop: https://www.freedesktop.org/software/systemd/man/systemd.unit.html
    host::run("systemctl", &["reset-failed", unit], LOOK_LIMIT).map_err(causes)?;
    let started = host::run("systemctl", &["restart", unit], RESTART_LIMIT).map_err(causes)?;
    if !started.success {
        return Err(with_log(unit, started.stderr));
    }
    cri::wait(socket).map_err(|silence| with_log(unit, silence))
}

/// How systemd ends the unit's processes.
///
/// # Errors
/// When systemd does not answer.
pub fn kill_mode(unit: &str) -> Result<String, InstallError> {
    let shown = host::run(
        "systemctl",
        &["show", "--property=KillMode", "--value", unit],
        LOOK_LIMIT,
    )?;
    match shown.success {
        true => Ok(shown.stdout.trim().to_owned()),
        false => Err(InstallError::new(INSTALLER, "systemd does not answer on the node").cause(shown.stderr)),
    }
}

fn with_log(unit: &str, what: String) -> Vec<String> {
    let arguments = ["--no-pager", "--output=cat", LOG_LINES, "--unit", unit];
    let log = host::run("journalctl", &arguments, LOOK_LIMIT)
        .map(|output| output.stdout)
        .unwrap_or_default();
    [what, log].into_iter().filter(|text| !text.trim().is_empty()).collect()
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
        assert_eq!(connect(&[&missing, &deserted, &open]), Ok(()));
        let refused = connect(&[&missing, &deserted]).unwrap_err();
        assert_eq!(refused.len(), 2);
        assert!(refused[0].contains("missing: No such file") && refused[1].contains("deserted: Connection refused"));
    }
}
