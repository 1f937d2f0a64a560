//! `remove`: the entry, a start of the runtime, then the files. `undo`: what the last install has replaced is back.

use std::path::{Path, PathBuf};

use super::{NOTHING, Records, begin, check, converge, sum, write};
use crate::files;
use crate::host;
use crate::look::{self, Node};
use crate::record::{BACKUP, FOLDER, INSTALLED, Installed, Restored, UNFINISHED, Unfinished, folder};
use crate::report::{Report, Trouble};
use node_protocol::Arguments;
use node_protocol::State;
use node_protocol::number::{NO_WAY_BACK, REFUSED};

/// Takes everything away.
///
/// # Errors
/// When it cannot be done: then the node is as it was.
pub fn run(report: &Report, arguments: &Arguments) -> Result<(), Trouble> {
    let records = Records::read()?;
    if records.are_empty() {
        report.end(State::Unchanged, NOTHING, None);
        return Ok(());
    }
    let node = look::node(arguments.runtime, &arguments.handler)?;
    take_away(report, arguments, &node, records)
}

/// Brings back the version before; without one, takes everything away.
///
/// # Errors
/// When it cannot be done: then the node is as it was.
pub fn undo(report: &Report, arguments: &Arguments) -> Result<(), Trouble> {
    let records = Records::read()?;
    let previous = records
        .installed
        .as_ref()
        .and_then(|installed| installed.previous.clone());
    let Some((installed, previous)) = records.installed.clone().zip(previous) else {
        return run(report, arguments);
    };
    let node = look::node(arguments.runtime, &arguments.handler)?;
    let start = host::read(&installed.path)?;
    let entry = check::entry(&node, arguments, &previous);
    let text = node
        .configuration
        .with(start.as_deref(), &entry)
        .map_err(|error| refused(&node, error))?;
    let begun = begin(&installed.path, start, records.unfinished)?;
    converged(report, &node, &begun, Some(&text), &arguments.handler)?;
    let back = Installed {
        version: previous.clone(),
        previous: None,
        written: sum(&text)?,
        files: files::sums(&folder(&previous))?,
        ..installed.clone()
    };
    write(INSTALLED, &back)?;
    host::remove(Path::new(UNFINISHED))?;
    host::remove_folder(&folder(&installed.version))?;
    report.end(State::Changed, &format!("{previous} is back"), Some(&previous));
    Ok(())
}

/// Where the node is as it was, nothing is left to be gone on with.
fn converged(
    report: &Report,
    node: &Node,
    begun: &Unfinished,
    text: Option<&str>,
    handler: &str,
) -> Result<(), Trouble> {
    let done = converge(report, node, begun, text, handler);
    if done.as_ref().is_err_and(|trouble| trouble.code != NO_WAY_BACK) {
        host::remove(Path::new(UNFINISHED))?;
    }
    done
}

fn refused(node: &Node, because: String) -> Trouble {
    Trouble::new(
        REFUSED,
        format!("{} cannot be changed", node.configuration.path().display()),
    )
    .because(because)
}

fn take_away(report: &Report, arguments: &Arguments, node: &Node, records: Records) -> Result<(), Trouble> {
    let Records { installed, unfinished } = records;
    let of_unfinished = unfinished.as_ref().map(|unfinished| unfinished.path.clone());
    let path: Option<PathBuf> = installed
        .as_ref()
        .map(|installed| installed.path.clone())
        .or(of_unfinished);
    if let Some(path) = path {
        let now = host::read(&path)?;
        let text = match (&installed, &unfinished) {
            (Some(installed), _) => restored(node, installed, now.as_deref())?,
            // Nothing was ever finished: what was there when it began is what was there before.
            (None, unfinished) => unfinished.as_ref().and_then(|unfinished| unfinished.start.clone()),
        };
        let made = installed.as_ref().and_then(|installed| installed.folder.clone());
        if text != now || unfinished.is_some() {
            let begun = begin(&path, now, unfinished)?;
            converged(report, node, &begun, text.as_deref(), &arguments.handler)?;
            if let Some(folder) = made.or(begun.folder).filter(|folder| super::is_empty(folder)) {
                host::remove_folder(&folder)?;
            }
        }
    }
    host::remove_folder(Path::new(FOLDER))?;
    report.end(State::Changed, "the engine and its entry are gone", None);
    Ok(())
}

/// What the file is to be now.
fn restored(node: &Node, installed: &Installed, now: Option<&str>) -> Result<Option<String>, Trouble> {
    let sum_now = now.map(sum).transpose()?;
    match installed.restored(sum_now.as_deref()) {
        Restored::Nothing => Ok(None),
        Restored::Backup => host::read(Path::new(BACKUP)),
        Restored::Edited => {
            let text = now.unwrap_or_default();
            node.configuration
                .without(text, &installed.handler)
                .map_err(|error| refused(node, error))
        }
    }
}
