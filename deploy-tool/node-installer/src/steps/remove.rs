//! `remove`: the entry, a start of the runtime, then the files. `undo`: what the last install has replaced is back.

use std::path::Path;

use super::{Change, NOTHING, Records, check, clear_away, finish, of_image, sum, write};
use crate::containers;
use crate::detect::{self, Node};
use crate::files;
use crate::host;
use crate::record::{
    BACKUP, Before, FOLDER, INSTALLED, Installed, Restored, UNFINISHED, UndoTarget, Unfinished, program,
};
use crate::report::{InstallError, Report};
use node_protocol::Arguments;
use node_protocol::State;
use node_protocol::number::REFUSED;

/// Takes everything away.
///
/// # Errors
/// When it cannot be done, or containers need it: then the node is as it was.
pub fn run(report: &Report, arguments: &Arguments) -> Result<(), InstallError> {
    let records = Records::read()?;
    if records.are_empty() {
        // An engine that is part of the node's image stays, and so do its labels.
        report.end(State::Unchanged, NOTHING, of_image()?.as_deref());
        return Ok(());
    }
    let node = detect::node(arguments.runtime, records.path())?;
    uninstall(report, &node, &records)
}

/// Brings back what the last installation has replaced; where that was nothing, takes everything away. Nothing at all where
/// it was a repair: what was there before was damaged, and something may run by it.
///
/// # Errors
/// When it cannot be done, or containers need it: then the node is as it was.
pub fn undo(report: &Report, arguments: &Arguments) -> Result<(), InstallError> {
    let records = Records::read()?;
    let Some(installed) = &records.installed else {
        return run(report, arguments);
    };
    let version = &installed.version;
    let back = match installed.undo_target() {
        UndoTarget::Nothing => return run(report, arguments),
        UndoTarget::Installed(back) => back,
        UndoTarget::None => {
            let sentence = format!("{version} stays: it was only repaired, and pods may need it");
            report.end(State::Unchanged, &sentence, Some(version));
            return Ok(());
        }
    };
    let node = detect::node(arguments.runtime, records.path())?;
    if back.version != *version {
        containers::wait(&node, std::slice::from_ref(version))?;
    }
    let mut change = Change::begin(&installed.path, host::read(&installed.path)?, &records)?;
    if let Err(reason) = bring_back(report, &node, &mut change, installed, &back) {
        return Err(change.fail(&node, reason));
    }
    finish(report, &node)?;
    report.end(
        State::Changed,
        &format!("{} is back", back.version),
        Some(&back.version),
    );
    Ok(())
}

fn bring_back(
    report: &Report,
    node: &Node,
    change: &mut Change,
    installed: &Installed,
    back: &Installed,
) -> Result<(), InstallError> {
    let handlers = installed.handlers();
    let entry = check::entry_of(node, back.handlers(), program(&back.version));
    let text = host::read(&installed.path)?;
    let text = match &text {
        Some(text) => node
            .configuration
            .remove_entries(text, &dropped_handlers(&handlers, &entry.handlers)),
        None => Ok(None),
    };
    let text = text
        .and_then(|text| node.configuration.add_entry(text.as_deref(), &entry))
        .map_err(|error| refused(node, error))?;
    change.configure(report, node, Some(&text), &handlers, None)?;
    let back = Installed {
        written: sum(&text)?,
        ..back.clone()
    };
    write(INSTALLED, &back)
}

/// The handlers that only the newer one has.
fn dropped_handlers(newer: &[String], older: &[String]) -> Vec<String> {
    newer
        .iter()
        .filter(|handler| !older.contains(handler))
        .cloned()
        .collect()
}

fn refused(node: &Node, because: String) -> InstallError {
    InstallError::new(
        REFUSED,
        format!("{} cannot be changed", node.configuration.path().display()),
    )
    .cause(because)
}

fn uninstall(report: &Report, node: &Node, records: &Records) -> Result<(), InstallError> {
    containers::wait(node, &files::versions(Path::new(FOLDER))?)?;
    let Some(path) = records.path() else {
        return Ok(());
    };
    let now = host::read(path)?;
    let before = records.before();
    let handlers = records.handlers(node);
    let text = match (before, &records.unfinished) {
        (Some(installed), _) => restored(node, installed, &handlers, now.as_deref())?,
        // Nothing was ever finished: what was there when it began is what was there before.
        (None, unfinished) => unfinished.as_ref().and_then(|unfinished| unfinished.start.clone()),
    };
    let folder = match (before, &records.unfinished) {
        (Some(installed), _) => installed.folder.clone(),
        (None, unfinished) => unfinished.as_ref().and_then(|unfinished| unfinished.folder.clone()),
    };
    if text != now || records.unfinished.is_some() {
        let mut change = Change::begin(path, now, records)?;
        if let Err(reason) = change.configure(report, node, text.as_deref(), &handlers, None) {
            return Err(change.fail(node, reason));
        }
    }
    // From here on there is no way back: a run that is cut off has begun with nothing.
    write(
        UNFINISHED,
        &Unfinished {
            path: path.to_owned(),
            start: text.clone(),
            folder: folder.clone(),
            before: Before::Nothing,
        },
    )?;
    if let (Some(folder), None) = (folder, text) {
        host::remove_empty_folders(path, &folder)?;
    }
    clear_away()?;
    report.end(State::Changed, "the engine and its entry are gone", None);
    Ok(())
}

/// What the file is to be now.
fn restored(
    node: &Node,
    installed: &Installed,
    handlers: &[String],
    now: Option<&str>,
) -> Result<Option<String>, InstallError> {
    let sum_now = now.map(sum).transpose()?;
    match installed.restored(sum_now.as_deref()) {
        Restored::Nothing => Ok(None),
        Restored::Backup => host::read(Path::new(BACKUP)),
        Restored::Edited => {
            let text = now.unwrap_or_default();
            node.configuration
                .remove_entries(text, handlers)
                .map_err(|error| refused(node, error))
        }
    }
}
