//! Edge: the runtime's unit.

use std::path::Path;

use crate::cri;
use crate::host;
use crate::report::Trouble;
use node_protocol::number::INSTALLER;

/// How many lines of the unit's log are shown.
const LOG_LINES: &str = "--lines=12";

/// Starts the runtime again and waits until it answers as the kubelet needs it. Pods go on meanwhile.
///
/// # Errors
/// When it does not: what it said.
pub fn restart(unit: &str, socket: &Path) -> Result<(), Vec<String>> {
    let said = |trouble: Trouble| [vec![trouble.sentence], trouble.because].concat();
    // Several starts in a short time are taken for a loop: https://www.freedesktop.org/software/systemd/man/systemd.unit.html
    host::run("systemctl", &["reset-failed", unit]).map_err(said)?;
    let started = host::run("systemctl", &["restart", unit]).map_err(said)?;
    if !started.success {
        return Err(with_log(unit, started.stderr));
    }
    cri::wait(socket).map_err(|silence| with_log(unit, silence))
}

/// How systemd ends the unit's processes.
///
/// # Errors
/// When systemd does not answer.
pub fn kill_mode(unit: &str) -> Result<String, Trouble> {
    let said = host::run("systemctl", &["show", "--property=KillMode", "--value", unit])?;
    match said.success {
        true => Ok(said.stdout.trim().to_owned()),
        false => Err(Trouble::new(INSTALLER, "systemd does not answer on the node").because(said.stderr)),
    }
}

fn with_log(unit: &str, what: String) -> Vec<String> {
    let arguments = ["--no-pager", "--output=cat", LOG_LINES, "--unit", unit];
    let log = host::run("journalctl", &arguments)
        .map(|said| said.stdout)
        .unwrap_or_default();
    [what, log].into_iter().filter(|text| !text.trim().is_empty()).collect()
}
