//! `status`: prints what is installed, and checks its files and its entry.

use super::{NOTHING, Records, checksum_text, find_image_engine};
use crate::detect;
use crate::files;
use crate::host;
use crate::record::{Installed, crun_path, version_folder};
use crate::report::{InstallError, Report};
use node_protocol::Arguments;
use node_protocol::State;
use node_protocol::number::ENGINE;

/// Runs it.
///
/// # Errors
/// When files were changed or the entry is gone: which.
pub fn run(report: &Report, arguments: &Arguments) -> Result<(), InstallError> {
    let records = Records::read()?;
    if records.unfinished.is_some() {
        return Err(
            InstallError::new(ENGINE, "an installation or removal was cut off").hint(
                "run `deploy-tool node install` or `node remove` for this node again: it goes on where that stopped",
            ),
        );
    }
    let Some(installed) = records.installed else {
        report.end(State::Unchanged, NOTHING, find_image_engine()?.as_deref());
        return Ok(());
    };
    let damaged = find_damage(&installed)?;
    if !damaged.is_empty() {
        let error = InstallError::new(ENGINE, format!("{} is not as it was installed", installed.version));
        return Err(damaged
            .iter()
            .fold(error, InstallError::cause)
            .hint("install it again: `deploy-tool node install`"));
    }
    let node = detect::inspect_node(arguments.runtime, Some(&installed.path))?;
    let handlers = installed.handlers();
    if node.lacks_handlers(&handlers, &crun_path(&installed.version)) {
        return Err(InstallError::new(
            ENGINE,
            format!(
                "the configuration has no runtime {} of this engine any more",
                quote_handlers(&handlers)
            ),
        )
        .hint("install it again: `deploy-tool node install`"));
    }
    let edited = match host::read(&installed.path)?
        .map(|text| checksum_text(&text))
        .transpose()?
    {
        Some(checksum_text) if checksum_text == installed.written => "",
        _ => "; its configuration was edited since",
    };
    let sentence = format!(
        "handler {}, {} files, all as installed{edited}",
        quote_handlers(&handlers),
        installed.files.len()
    );
    report.end(State::Unchanged, &sentence, Some(&installed.version));
    Ok(())
}

fn quote_handlers(handlers: &[String]) -> String {
    let quoted: Vec<String> = handlers.iter().map(|handler| format!("`{handler}`")).collect();
    quoted.join(", ")
}

fn find_damage(installed: &Installed) -> Result<Vec<String>, InstallError> {
    let now = files::folder_checksums(&version_folder(&installed.version))?;
    let lost = installed
        .files
        .iter()
        .filter(|(path, checksum_text)| now.get(*path) != Some(*checksum_text));
    let lost = lost.map(|(path, _)| format!("{path} is missing or has other bytes"));
    let new = now.keys().filter(|path| !installed.files.contains_key(*path));
    Ok(lost.chain(new.map(|path| format!("{path} is not of it"))).collect())
}
