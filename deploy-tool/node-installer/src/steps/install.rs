//! `install`: the engine's files, then its entry, then a start of the runtime; or everything as it was.

use std::fs;
use std::path::Path;

use super::{Records, begin, check, converge, sum, write};
use crate::files::{self, Sums};
use crate::host::{self, trouble};
use crate::look::Node;
use crate::payload::Engine;
use crate::record::{BACKUP, FOLDER, INSTALLED, Installed, UNFINISHED, Unfinished, folder, program};
use crate::report::{Report, Trouble};
use node_protocol::Arguments;
use node_protocol::State;
use node_protocol::number::{ENGINE, NO_WAY_BACK, REFUSED};

/// What crun says of itself when it is built with WasmEdge.
const WITH_WASM: &str = "+WASM:wasmedge";

/// Runs it.
///
/// # Errors
/// When it cannot be done: then the node is as it was.
pub fn run(report: &Report, arguments: &Arguments, engine: &Engine) -> Result<(), Trouble> {
    let records = Records::read()?;
    let node = check::find(arguments, engine, &records)?;
    let version = engine.version.as_str();
    if check::is_there(&node, arguments, engine, &records)? {
        let sentence = format!("{version} is there already; nothing is started again");
        report.end(State::Unchanged, &sentence, Some(version));
        return Ok(());
    }
    let Records { installed, unfinished } = records;
    if unfinished.is_some() {
        report.step(
            "repair",
            State::Changed,
            "an earlier run was cut off; this one goes on from there",
        );
    }
    fs::create_dir_all(FOLDER).map_err(|error| trouble("make", Path::new(FOLDER), error))?;
    let start = host::read(node.configuration.path())?;
    let begun = begin(node.configuration.path(), start, unfinished)?;
    let entered = copy(report, engine).and_then(|files| {
        let text = enter(report, arguments, &node, version, &begun)?;
        write(
            INSTALLED,
            &record(arguments, version, installed.as_ref(), &begun, &text, files)?,
        )
    });
    match &entered {
        // The next run has to start the runtime again: it is to know that.
        Err(trouble) if trouble.code == NO_WAY_BACK => return entered,
        Err(_) => match &installed {
            None => host::remove_folder(Path::new(FOLDER))?,
            Some(installed) if installed.version != version => host::remove_folder(&folder(version))?,
            Some(_) => {}
        },
        Ok(()) => {}
    }
    host::remove(Path::new(UNFINISHED))?;
    entered?;
    let sentence = format!("{version} is installed, handler `{}`", arguments.handler);
    report.end(State::Changed, &sentence, Some(version));
    Ok(())
}

fn copy(report: &Report, engine: &Engine) -> Result<Sums, Trouble> {
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

/// Brings the entry into the configuration. Returns the text of its file.
fn enter(
    report: &Report,
    arguments: &Arguments,
    node: &Node,
    version: &str,
    begun: &Unfinished,
) -> Result<String, Trouble> {
    let entry = check::entry(node, arguments, version);
    let refused =
        |because| Trouble::new(REFUSED, format!("{} cannot be changed", begun.path.display())).because(because);
    // From what is there now, which a run that was cut off may have written.
    let now = host::read(&begun.path)?;
    let text = node.configuration.with(now.as_deref(), &entry).map_err(refused)?;
    converge(report, node, begun, Some(&text), &arguments.handler)?;
    Ok(text)
}

/// What is written down. What was before the first installation stays what it was.
fn record(
    arguments: &Arguments,
    version: &str,
    before: Option<&Installed>,
    begun: &Unfinished,
    text: &str,
    files: Sums,
) -> Result<Installed, Trouble> {
    if let (None, Some(start)) = (before, &begun.start) {
        host::write(Path::new(BACKUP), start)?;
    }
    let previous = before.and_then(|before| match before.version == version {
        true => before.previous.clone(),
        false => Some(before.version.clone()),
    });
    Ok(Installed {
        version: version.to_owned(),
        previous,
        handler: arguments.handler.clone(),
        path: begun.path.clone(),
        written: sum(text)?,
        has_backup: before.map_or(begun.start.is_some(), |before| before.has_backup),
        folder: before.map_or_else(|| begun.folder.clone(), |before| before.folder.clone()),
        files,
    })
}
