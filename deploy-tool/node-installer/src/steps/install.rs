//! `install`: copies the engine's files, adds the entry, restarts the runtime; on a failure, all of it is rolled back.

use std::fs;
use std::path::Path;

use super::{Change, Records, check, checksum_text, finish_change, write_record};
use crate::detect::Node;
use crate::files::{self, Checksums};
use crate::host::{self, LOOK_LIMIT, file_error};
use crate::payload::Engine;
use crate::record::{BACKUP, FOLDER, INSTALLED, Installed, Unfinished, crun_path, version_folder};
use crate::report::{InstallError, Report};
use node_protocol::Arguments;
use node_protocol::State;
use node_protocol::number::{ENGINE, REFUSED};

/// In the output of `crun --version` when it is built with WasmEdge.
const WITH_WASM: &str = "+WASM:wasmedge";

/// Runs it.
///
/// # Errors
/// When a step fails: then the node is as it was before.
pub fn run(report: &Report, arguments: &Arguments, engine: &Engine) -> Result<(), InstallError> {
    let records = Records::read()?;
    let node = check::inspect_node(arguments, engine, &records)?;
    let version = engine.version.as_str();
    if check::is_up_to_date(&node, arguments, engine, &records)? {
        let sentence = format!("{version} is there already; nothing is started again");
        report.end(State::Unchanged, &sentence, Some(version));
        return Ok(());
    }
    if records.unfinished.is_some() {
        report.step(
            "repair",
            State::Changed,
            "an earlier run was cut off; this one goes on from there",
        );
    }
    fs::create_dir_all(FOLDER)
        .and_then(|()| host::sync_parent(Path::new(FOLDER)))
        .map_err(|error| file_error("make", Path::new(FOLDER), error))?;
    let start = host::read(node.configuration.path())?;
    let mut change = Change::begin(node.configuration.path(), start, &records)?;
    if let Err(reason) = install(report, arguments, engine, &records, &node, &mut change) {
        return Err(change.roll_back(&node, reason));
    }
    finish_change(report, &node)?;
    let sentence = format!("{version} is installed, handler `{}`", arguments.handler);
    report.end(State::Changed, &sentence, Some(version));
    Ok(())
}

fn install(
    report: &Report,
    arguments: &Arguments,
    engine: &Engine,
    records: &Records,
    node: &Node,
    change: &mut Change,
) -> Result<(), InstallError> {
    if let (None, Some(start)) = (records.previous_install(), &change.begun.start) {
        host::write(Path::new(BACKUP), start)?;
    }
    let files = copy_files(report, engine)?;
    let entry = check::new_entry(node, arguments, &engine.version, records);
    // The present text may be one that an interrupted run has written.
    let path = &change.begun.path;
    let text = node.configuration.add_entry(host::read(path)?.as_deref(), &entry);
    let text =
        text.map_err(|cause| InstallError::new(REFUSED, format!("{} cannot be changed", path.display())).cause(cause))?;
    change.configure(report, node, Some(&text), &entry.handlers, Some(&entry.program))?;
    let installed = make_record(
        &engine.version,
        &entry.handlers,
        records.previous_install(),
        &change.begun,
        &text,
        files,
    )?;
    write_record(INSTALLED, &installed)
}

fn copy_files(report: &Report, engine: &Engine) -> Result<Checksums, InstallError> {
    let (files, changed) = files::install_files(engine, &version_folder(&engine.version))?;
    let state = if changed { State::Changed } else { State::Unchanged };
    report.step(
        "files",
        state,
        &format!("{} files of {} are as in the image", files.len(), engine.version),
    );
    let version = host::run(&crun_path(&engine.version), &["--version"], LOOK_LIMIT)?;
    if version.success && version.stdout.contains(WITH_WASM) {
        Ok(files)
    } else {
        Err(InstallError::new(ENGINE, "the engine does not run on the node")
            .cause(format!("{}{}", version.stdout, version.stderr)))
    }
}

/// The record of this installation. Its backup and folder stay those of the first installation.
fn make_record(
    version: &str,
    handlers: &[String],
    before: Option<&Installed>,
    begun: &Unfinished,
    text: &str,
    files: Checksums,
) -> Result<Installed, InstallError> {
    let (handler, earlier) = handlers
        .split_first()
        .map_or(("", &[][..]), |(newest, earlier)| (newest, earlier));
    let installed = Installed {
        version: version.to_owned(),
        handler: handler.to_owned(),
        earlier_handlers: earlier.to_vec(),
        replaced: None,
        is_repaired: false,
        path: begun.path.clone(),
        written: checksum_text(text)?,
        has_backup: before.map_or(begun.start.is_some(), |before| before.has_backup),
        folder: before.map_or_else(|| begun.folder.clone(), |before| before.folder.clone()),
        files,
    };
    Ok(installed.with_replaced(before))
}
