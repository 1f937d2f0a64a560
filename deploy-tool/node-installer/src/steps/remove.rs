//! `remove`: removes the entry, restarts the runtime, deletes the files. `undo`: restores what the last installation has
//! replaced.

use std::path::Path;

use super::{
    Change, NOTHING, Records, check, checksum_text, delete_installation, find_image_engine, finish_change, write_record,
};
use crate::containers;
use crate::detect::{self, Node};
use crate::files;
use crate::host;
use crate::record::{
    BACKUP, FOLDER, INSTALLED, Installed, PreviousInstall, RestoreAction, UNFINISHED, UndoTarget, Unfinished, crun_path,
};
use crate::report::{InstallError, Report};
use node_protocol::Arguments;
use node_protocol::State;
use node_protocol::number::REFUSED;

/// Removes everything.
///
/// # Errors
/// When a step fails, or containers need the engine: then the node is as it was before.
pub fn run(report: &Report, arguments: &Arguments) -> Result<(), InstallError> {
    let records = Records::read()?;
    if records.are_empty() {
        // An engine that is part of the node's image stays, and so do its labels.
        report.end(State::Unchanged, NOTHING, find_image_engine()?.as_deref());
        return Ok(());
    }
    let node = detect::inspect_node(arguments.runtime, records.path())?;
    uninstall(report, &node, &records)
}

/// Restores what the last installation has replaced; removes everything where it has replaced nothing. Does nothing after
/// a repair: the installation before it was damaged, and containers may use the repaired one.
///
/// # Errors
/// When a step fails, or containers need the engine: then the node is as it was before.
pub fn undo(report: &Report, arguments: &Arguments) -> Result<(), InstallError> {
    let records = Records::read()?;
    let Some(installed) = &records.installed else {
        return run(report, arguments);
    };
    let version = &installed.version;
    let target = match installed.undo_target() {
        UndoTarget::Nothing => return run(report, arguments),
        UndoTarget::Installed(target) => target,
        UndoTarget::None => {
            let sentence = format!("{version} stays: it was only repaired, and pods may need it");
            report.end(State::Unchanged, &sentence, Some(version));
            return Ok(());
        }
    };
    let node = detect::inspect_node(arguments.runtime, records.path())?;
    if target.version != *version {
        containers::wait_until_unused(&node, std::slice::from_ref(version))?;
    }
    let mut change = Change::begin(&installed.path, host::read(&installed.path)?, &records)?;
    if let Err(reason) = restore_previous(report, &node, &mut change, installed, &target) {
        return Err(change.roll_back(&node, reason));
    }
    finish_change(report, &node)?;
    report.end(
        State::Changed,
        &format!("{} is back", target.version),
        Some(&target.version),
    );
    Ok(())
}

fn restore_previous(
    report: &Report,
    node: &Node,
    change: &mut Change,
    installed: &Installed,
    target: &Installed,
) -> Result<(), InstallError> {
    let handlers = installed.handlers();
    let entry = check::make_entry(node, target.handlers(), crun_path(&target.version));
    let text = host::read(&installed.path)?;
    let text = match &text {
        Some(text) => node
            .configuration
            .remove_entries(text, &dropped_handlers(&handlers, &entry.handlers)),
        None => Ok(None),
    };
    let text = text
        .and_then(|text| node.configuration.add_entry(text.as_deref(), &entry))
        .map_err(|error| edit_error(node, error))?;
    change.configure(report, node, Some(&text), &handlers, None)?;
    let target = Installed {
        written: checksum_text(&text)?,
        ..target.clone()
    };
    write_record(INSTALLED, &target)
}

/// The handlers that only the newer installation has.
fn dropped_handlers(newer: &[String], older: &[String]) -> Vec<String> {
    newer
        .iter()
        .filter(|handler| !older.contains(handler))
        .cloned()
        .collect()
}

fn edit_error(node: &Node, cause: String) -> InstallError {
    InstallError::new(
        REFUSED,
        format!("{} cannot be changed", node.configuration.path().display()),
    )
    .cause(cause)
}

fn uninstall(report: &Report, node: &Node, records: &Records) -> Result<(), InstallError> {
    containers::wait_until_unused(node, &files::list_versions(Path::new(FOLDER))?)?;
    let Some(path) = records.path() else {
        return Ok(());
    };
    let now = host::read(path)?;
    let before = records.previous_install();
    let handlers = records.handlers(node);
    let text = match (before, &records.unfinished) {
        (Some(installed), _) => restored_text(node, installed, &handlers, now.as_deref())?,
        // No installation was finished: the text at its start is the original one.
        (None, unfinished) => unfinished.as_ref().and_then(|unfinished| unfinished.start.clone()),
    };
    let folder = match (before, &records.unfinished) {
        (Some(installed), _) => installed.folder.clone(),
        (None, unfinished) => unfinished.as_ref().and_then(|unfinished| unfinished.folder.clone()),
    };
    if text != now || records.unfinished.is_some() {
        let mut change = Change::begin(path, now, records)?;
        if let Err(reason) = change.configure(report, node, text.as_deref(), &handlers, None) {
            return Err(change.roll_back(node, reason));
        }
    }
    // From here on a rollback is impossible: for the next run, an interrupted removal has started with nothing installed.
    write_record(
        UNFINISHED,
        &Unfinished {
            path: path.to_owned(),
            start: text.clone(),
            folder: folder.clone(),
            before: PreviousInstall::Nothing,
        },
    )?;
    if let (Some(folder), None) = (folder, text) {
        host::remove_empty_folders(path, &folder)?;
    }
    delete_installation()?;
    report.end(State::Changed, "the engine and its entry are gone", None);
    Ok(())
}

/// The text of the configuration file after the removal; none where it is deleted.
fn restored_text(
    node: &Node,
    installed: &Installed,
    handlers: &[String],
    now: Option<&str>,
) -> Result<Option<String>, InstallError> {
    let checksum = now.map(checksum_text).transpose()?;
    match installed.restore_action(checksum.as_deref()) {
        RestoreAction::Nothing => Ok(None),
        RestoreAction::Backup => host::read(Path::new(BACKUP)),
        RestoreAction::Edited => {
            let text = now.unwrap_or_default();
            node.configuration
                .remove_entries(text, handlers)
                .map_err(|error| edit_error(node, error))
        }
    }
}
