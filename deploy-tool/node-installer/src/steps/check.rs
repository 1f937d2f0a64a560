//! `check`: whether the engine can be installed, and whether that would change anything; changes nothing.

use std::path::Path;

use super::Records;
use crate::config_method::ConfigMethod;
use crate::detect::{self, Node};
use crate::payload::Engine;
use crate::record::{FOLDER, crun_path, merge_handlers, version_folder};
use crate::report::{InstallError, Report};
use crate::{entry, files, host};
use node_protocol::Arguments;
use node_protocol::State;
use node_protocol::number::{HANDLER_TAKEN, REFUSED};

/// Runs it. The last line says `changed` where an installation would change something.
///
/// # Errors
/// When the engine cannot be installed: why.
pub fn run(report: &Report, arguments: &Arguments, engine: &Engine) -> Result<(), InstallError> {
    let records = Records::read()?;
    let node = inspect_node(arguments, engine, &records)?;
    let version = records.installed.as_ref().map(|installed| installed.version.as_str());
    let (state, finding) = match (is_up_to_date(&node, arguments, engine, &records)?, version) {
        (true, _) => (State::Unchanged, "is there already".to_owned()),
        (false, Some(version)) if version != engine.version => {
            (State::Changed, format!("takes the place of {version}"))
        }
        (false, Some(_)) => (State::Changed, "needs repair".to_owned()),
        (false, None) => (State::Changed, "is new".to_owned()),
    };
    let runtime = node.unit.trim_end_matches(".service");
    let method = node.configuration.describe();
    let sentence = format!("{runtime} {}: {} {finding}, by {method}", node.version, engine.version);
    report.end(state, &sentence, version);
    Ok(())
}

/// Inspects the node. Fails if the engine cannot be installed on it.
pub(super) fn inspect_node(arguments: &Arguments, engine: &Engine, records: &Records) -> Result<Node, InstallError> {
    let node = detect::inspect_node(arguments.runtime, records.path())?;
    detect::refuse_taken_handler(&node, &arguments.handler)?;
    if records.are_empty() && !files::list_versions(Path::new(FOLDER))?.is_empty() {
        return Err(
            InstallError::new(HANDLER_TAKEN, "the node has an engine that was not installed by this")
                .cause(format!("{FOLDER} is part of its image"))
                .hint("leave it: such a node needs nothing more; `deploy-tool doctor` says whether it runs Wasm"),
        );
    }
    try_configuration(&node, arguments, engine, records)?;
    Ok(node)
}

/// Whether an installation would change nothing.
pub(super) fn is_up_to_date(
    node: &Node,
    arguments: &Arguments,
    engine: &Engine,
    records: &Records,
) -> Result<bool, InstallError> {
    let Some(installed) = &records.installed else {
        return Ok(false);
    };
    let handlers = installed.handlers();
    if records.unfinished.is_some()
        || installed.version != engine.version
        || !handlers.contains(&arguments.handler)
        || node.lacks_handlers(&handlers, &crun_path(&installed.version))
    {
        return Ok(false);
    }
    let now = host::read(node.configuration.path())?;
    let wanted = make_entry(node, handlers, crun_path(&installed.version));
    let wanted = node.configuration.add_entry(now.as_deref(), &wanted);
    let files_match = files::folder_checksums(&version_folder(&engine.version))? == files::engine_checksums(engine)?;
    Ok(files_match && now.is_some() && wanted.ok() == now)
}

/// The entry of this engine, with the new handler and the earlier ones.
pub(super) fn new_entry(node: &Node, arguments: &Arguments, version: &str, records: &Records) -> entry::Entry {
    make_entry(
        node,
        merge_handlers(&arguments.handler, records.previous_install()),
        crun_path(version),
    )
}

/// An entry with these handlers.
pub(super) fn make_entry(node: &Node, handlers: Vec<String>, program: String) -> entry::Entry {
    entry::Entry {
        handlers,
        program,
        systemd_cgroup: node.dump.as_ref().is_some_and(|dump| dump.systemd_cgroup()),
    }
}

/// Lets containerd load the configuration with the entry, without writing it. Fails if anything but the engine's runtimes
/// would change.
fn try_configuration(
    node: &Node,
    arguments: &Arguments,
    engine: &Engine,
    records: &Records,
) -> Result<(), InstallError> {
    let refused = |cause: String| {
        InstallError::new(
            REFUSED,
            format!("the runtime {} would not take the new configuration", node.version),
        )
        .cause(cause)
    };
    let entry = new_entry(node, arguments, &engine.version, records);
    let text = match node.main_text() {
        // There is no file, so there is no key `version`.
        "" => "version = 2\n",
        text => text,
    };
    let text = entry::add_entry(text, node.configuration.form, &entry).map_err(refused)?;
    let (Some(now), Some(after)) = (&node.dump, node.dump_with(&text).map_err(refused)?) else {
        return Ok(());
    };
    if !now.differs_by_runtimes_only(&after, &entry.handlers) {
        return Err(refused("other settings would be lost".to_owned()));
    }
    // The main file was tried here. A drop-in is loaded after it, so only an edit of the main file must win already.
    let is_edit = matches!(node.configuration.method, ConfigMethod::InPlace(_));
    if after.has_handler(&arguments.handler) && (!is_edit || after.program(&arguments.handler) == Some(&entry.program))
    {
        Ok(())
    } else {
        Err(refused(format!(
            "a file that {} imports says something else of the runtime `{}`, or replaces all of its plugin, as imports do \
             before containerd 2",
            node.configuration.path().display(),
            arguments.handler
        )))
    }
}
