//! `install`: the engine's files, then its entry, then a start of the runtime; or everything as it was.

use std::fs;
use std::path::Path;

use super::{Change, Records, check, finish, sum, write};
use crate::detect::Node;
use crate::files::{self, Sums};
use crate::host::{self, LOOK_LIMIT, file_error};
use crate::payload::Engine;
use crate::record::{BACKUP, FOLDER, INSTALLED, Installed, Unfinished, folder, program};
use crate::report::{InstallError, Report};
use node_protocol::Arguments;
use node_protocol::State;
use node_protocol::number::{ENGINE, REFUSED};

/// What crun says of itself when it is built with WasmEdge.
const WITH_WASM: &str = "+WASM:wasmedge";

/// Runs it.
///
/// # Errors
/// When it cannot be done: then the node is as it was.
pub fn run(report: &Report, arguments: &Arguments, engine: &Engine) -> Result<(), InstallError> {
    let records = Records::read()?;
    let node = check::find(arguments, engine, &records)?;
    let version = engine.version.as_str();
    if check::is_there(&node, arguments, engine, &records)? {
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
        return Err(change.fail(&node, reason));
    }
    finish(report, &node)?;
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
    if let (None, Some(start)) = (records.before(), &change.begun.start) {
        host::write(Path::new(BACKUP), start)?;
    }
    let files = copy(report, engine)?;
    let entry = check::entry(node, arguments, &engine.version, records);
    // From what is there now, which a run that was cut off may have written.
    let path = &change.begun.path;
    let text = node.configuration.add_entry(host::read(path)?.as_deref(), &entry);
    let text = text.map_err(|because| {
        InstallError::new(REFUSED, format!("{} cannot be changed", path.display())).cause(because)
    })?;
    change.configure(report, node, Some(&text), &entry.handlers, Some(&entry.program))?;
    let installed = record(
        &engine.version,
        &entry.handlers,
        records.before(),
        &change.begun,
        &text,
        files,
    )?;
    write(INSTALLED, &installed)
}

fn copy(report: &Report, engine: &Engine) -> Result<Sums, InstallError> {
    let (files, changed) = files::install(engine, &folder(&engine.version))?;
    let state = if changed { State::Changed } else { State::Unchanged };
    report.step(
        "files",
        state,
        &format!("{} files of {} are as in the image", files.len(), engine.version),
    );
    let version = host::run(&program(&engine.version), &["--version"], LOOK_LIMIT)?;
    match version.success && version.stdout.contains(WITH_WASM) {
        true => Ok(files),
        false => Err(InstallError::new(ENGINE, "the engine does not run on the node")
            .cause(format!("{}{}", version.stdout, version.stderr))),
    }
}

/// What is written down. What was before the first installation stays what it was.
fn record(
    version: &str,
    handlers: &[String],
    before: Option<&Installed>,
    begun: &Unfinished,
    text: &str,
    files: Sums,
) -> Result<Installed, InstallError> {
    let (handler, earlier) = handlers
        .split_first()
        .map_or(("", &[][..]), |(first, rest)| (first, rest));
    let installed = Installed {
        version: version.to_owned(),
        handler: handler.to_owned(),
        earlier_handlers: earlier.to_vec(),
        replaced: None,
        is_repaired: false,
        path: begun.path.clone(),
        written: sum(text)?,
        has_backup: before.map_or(begun.start.is_some(), |before| before.has_backup),
        folder: before.map_or_else(|| begun.folder.clone(), |before| before.folder.clone()),
        files,
    };
    Ok(installed.replacing(before))
}
