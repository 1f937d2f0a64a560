//! `check`: whether the engine can be installed, before anything is touched.

use super::Records;
use crate::arguments::Arguments;
use crate::entry;
use crate::look::{self, Node};
use crate::payload::Engine;
use crate::record::program;
use crate::report::{REFUSED, Report, State, Trouble};

/// Runs it.
///
/// # Errors
/// When the engine cannot be installed: why.
pub fn run(report: &Report, arguments: &Arguments, engine: &Engine) -> Result<(), Trouble> {
    let node = find(arguments, engine)?;
    let installed = Records::read()?.installed.map(|installed| installed.version);
    let there = match &installed {
        Some(version) if *version == engine.version => "is there already".to_owned(),
        Some(version) => format!("takes the place of {version}"),
        None => "is new".to_owned(),
    };
    let sentence = format!(
        "{} {}: {} {there}, by {}",
        node.unit.trim_end_matches(".service"),
        node.version,
        engine.version,
        node.configuration.describe()
    );
    report.end(State::Unchanged, &sentence, installed.as_deref());
    Ok(())
}

/// The node, if the engine can be installed on it.
pub(super) fn find(arguments: &Arguments, engine: &Engine) -> Result<Node, Trouble> {
    let node = look::node(arguments.runtime, &arguments.handler)?;
    would_load(&node, arguments, engine)?;
    Ok(node)
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
