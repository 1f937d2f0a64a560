//! `install`: the engine's files, then its entry, then a start of the runtime; or everything as it was.

use std::fs;
use std::path::Path;

use super::{Records, begin, check, converge, sum, tidy, write};
use crate::arguments::Arguments;
use crate::files::{self, Sums};
use crate::host::{self, trouble};
use crate::look::Node;
use crate::payload::Engine;
use crate::record::{BACKUP, FOLDER, INSTALLED, Installed, UNFINISHED, folder, program};
use crate::report::{ENGINE, REFUSED, Report, State, Trouble};

/// What crun says of itself when it is built with WasmEdge.
const WITH_WASM: &str = "+WASM:wasmedge";

/// Runs it.
///
/// # Errors
/// When it cannot be done: then the node is as it was.
pub fn run(report: &Report, arguments: &Arguments, mut engine: Engine) -> Result<(), Trouble> {
    let node = check::find(arguments, &engine)?;
    let records = Records::read()?;
    fs::create_dir_all(FOLDER).map_err(|error| trouble("make", Path::new(FOLDER), error))?;
    let version = engine.version.clone();
    let is_new = !folder(&version).exists();
    let entered =
        copied(report, &mut engine).and_then(|files| enter(report, arguments, &node, &version, files, records));
    if entered.is_err() && is_new {
        tidy(&[&folder(&version)])?;
    }
    entered
}

fn copied(report: &Report, engine: &mut Engine) -> Result<Sums, Trouble> {
    let (files, changed) = files::install(engine, &folder(&engine.version))?;
    let state = if changed { State::Changed } else { State::Unchanged };
    report.step(
        "files",
        state,
        &format!("{} files of {} are as in the image", files.len(), engine.version),
    );
    let said = host::run(&program(&engine.version), &["--version"])?;
    match said.success && said.stdout.contains(WITH_WASM) {
        true => Ok(files),
        false => Err(Trouble::new(ENGINE, "the engine does not run on the node")
            .because(format!("{}{}", said.stdout, said.stderr))),
    }
}

fn enter(
    report: &Report,
    arguments: &Arguments,
    node: &Node,
    version: &str,
    files: Sums,
    records: Records,
) -> Result<(), Trouble> {
    let Records { installed, unfinished } = records;
    let path = node.configuration.path();
    let start = host::read(path)?;
    let entry = check::entry(node, arguments, version);
    let refused = |because| Trouble::new(REFUSED, format!("{} cannot be changed", path.display())).because(because);
    let text = node.configuration.with(start.as_deref(), &entry).map_err(refused)?;
    let is_there = start.as_deref() == Some(&text);
    let record = |folder| -> Result<Installed, Trouble> {
        let before = installed.clone();
        let is_same = before.as_ref().is_some_and(|before| before.version == version);
        Ok(Installed {
            version: version.to_owned(),
            previous: before.as_ref().and_then(|before| {
                if is_same {
                    before.previous.clone()
                } else {
                    Some(before.version.clone())
                }
            }),
            handler: arguments.handler.clone(),
            path: path.to_owned(),
            written: sum(&text)?,
            has_backup: before
                .as_ref()
                .map_or(Path::new(BACKUP).exists(), |before| before.has_backup),
            folder: before.map_or(folder, |before| before.folder),
            files,
        })
    };
    if is_there && unfinished.is_none() && installed.is_some() {
        write(INSTALLED, &record(None)?)?;
        report.end(
            State::Unchanged,
            &format!("{version} was there already; nothing is started again"),
            Some(version),
        );
        return Ok(());
    }
    if unfinished.is_some() {
        report.step(
            "repair",
            State::Changed,
            "an earlier run was cut off; this one goes on from there",
        );
    }
    let begun = begin(path, start.as_deref(), unfinished)?;
    if installed.is_none()
        && let Some(before) = &begun.start
    {
        host::write(Path::new(BACKUP), before)?;
    }
    if let Err(trouble) = converge(report, node, &begun, Some(&text), &arguments.handler) {
        if installed.is_none() {
            host::remove(Path::new(BACKUP))?;
        }
        host::remove(Path::new(UNFINISHED))?;
        return Err(trouble);
    }
    write(INSTALLED, &record(begun.folder.clone())?)?;
    host::remove(Path::new(UNFINISHED))?;
    report.end(
        State::Changed,
        &format!("{version} is installed, handler `{}`", arguments.handler),
        Some(version),
    );
    Ok(())
}
