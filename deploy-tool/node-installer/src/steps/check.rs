//! `check`: whether the engine can be installed, and whether there is anything to do, before anything is touched.

use std::path::Path;

use super::Records;
use crate::look::{self, Node};
use crate::payload::Engine;
use crate::record::{FOLDER, folder, program};
use crate::report::{Report, Trouble};
use crate::{entry, files, host};
use node_protocol::Arguments;
use node_protocol::State;
use node_protocol::number::{HANDLER_TAKEN, REFUSED};

/// Runs it. The last line says `changed` where an installation would change something.
///
/// # Errors
/// When the engine cannot be installed: why.
pub fn run(report: &Report, arguments: &Arguments, engine: &Engine) -> Result<(), Trouble> {
    let records = Records::read()?;
    let node = find(arguments, engine, &records)?;
    let version = records.installed.as_ref().map(|installed| installed.version.as_str());
    let (state, there) = match (is_there(&node, arguments, engine, &records)?, version) {
        (true, _) => (State::Unchanged, "is there already".to_owned()),
        (false, Some(version)) if version != engine.version => {
            (State::Changed, format!("takes the place of {version}"))
        }
        (false, Some(_)) => (State::Changed, "is to be mended".to_owned()),
        (false, None) => (State::Changed, "is new".to_owned()),
    };
    let runtime = node.unit.trim_end_matches(".service");
    let way = node.configuration.describe();
    let sentence = format!("{runtime} {}: {} {there}, by {way}", node.version, engine.version);
    report.end(state, &sentence, version);
    Ok(())
}

/// The node, if the engine can be installed on it.
pub(super) fn find(arguments: &Arguments, engine: &Engine, records: &Records) -> Result<Node, Trouble> {
    let node = look::node(arguments.runtime, &arguments.handler)?;
    if records.are_empty() && Path::new(FOLDER).exists() {
        return Err(
            Trouble::new(HANDLER_TAKEN, "the node has an engine that was not installed by this")
                .because(format!("{FOLDER} is part of its image"))
                .next("leave it: such a node needs nothing more; `deploy-tool doctor` says whether it runs Wasm"),
        );
    }
    would_load(&node, arguments, engine)?;
    Ok(node)
}

/// Whether everything is as an installation would leave it.
pub(super) fn is_there(
    node: &Node,
    arguments: &Arguments,
    engine: &Engine,
    records: &Records,
) -> Result<bool, Trouble> {
    let Some(installed) = &records.installed else {
        return Ok(false);
    };
    if records.unfinished.is_some() || installed.version != engine.version || installed.handler != arguments.handler {
        return Ok(false);
    }
    let now = host::read(node.configuration.path())?;
    let wanted = node
        .configuration
        .with(now.as_deref(), &entry(node, arguments, &engine.version));
    let files_are = files::sums(&folder(&engine.version))? == files::sums_of(engine)?;
    Ok(files_are && now.is_some() && wanted.ok() == now)
}

/// The entry of this engine.
pub(super) fn entry(node: &Node, arguments: &Arguments, version: &str) -> entry::Entry {
    entry::Entry {
        handler: arguments.handler.clone(),
        program: program(version),
        systemd_cgroup: node.dump.as_ref().is_some_and(|dump| dump.systemd_cgroup()),
    }
}

/// Has containerd load the entry without putting it in its place: nothing but our runtime may be another.
fn would_load(node: &Node, arguments: &Arguments, engine: &Engine) -> Result<(), Trouble> {
    let refused = |because: String| {
        Trouble::new(
            REFUSED,
            format!("the runtime {} would not take the new configuration", node.version),
        )
        .because(because)
    };
    let entry = entry(node, arguments, &engine.version);
    let text = match node.main_text() {
        // What is not there has no version either.
        "" => "version = 2\n",
        text => text,
    };
    let text = entry::with(text, node.configuration.form, &entry).map_err(refused)?;
    let (Some(now), Some(then)) = (&node.dump, node.dump_with(&text).map_err(refused)?) else {
        return Ok(());
    };
    match then.has(&arguments.handler) && now.differs_by_runtime_only(&then, &arguments.handler) {
        true => Ok(()),
        false => Err(refused("other settings would be lost".to_owned())),
    }
}
