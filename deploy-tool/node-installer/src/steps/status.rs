//! `status`: what is installed, and whether it is as it was installed.

use super::{NOTHING, Records, of_image, sum};
use crate::detect;
use crate::files;
use crate::host;
use crate::record::{Installed, folder, program};
use crate::report::{InstallError, Report};
use node_protocol::Arguments;
use node_protocol::State;
use node_protocol::number::ENGINE;

/// Runs it.
///
/// # Errors
/// When what is installed is not as it should be: what is not.
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
        report.end(State::Unchanged, NOTHING, of_image()?.as_deref());
        return Ok(());
    };
    let damaged = damages(&installed)?;
    if !damaged.is_empty() {
        let trouble = InstallError::new(ENGINE, format!("{} is not as it was installed", installed.version));
        return Err(damaged
            .iter()
            .fold(trouble, InstallError::cause)
            .hint("install it again: `deploy-tool node install`"));
    }
    let node = detect::node(arguments.runtime, Some(&installed.path))?;
    let handlers = installed.handlers();
    if node.lacks(&handlers, &program(&installed.version)) {
        return Err(InstallError::new(
            ENGINE,
            format!(
                "the configuration has no runtime {} of this engine any more",
                quoted(&handlers)
            ),
        )
        .hint("install it again: `deploy-tool node install`"));
    }
    let edited = match host::read(&installed.path)?.map(|text| sum(&text)).transpose()? {
        Some(sum) if sum == installed.written => "",
        _ => "; its configuration was edited since",
    };
    let sentence = format!(
        "handler {}, {} files, all as installed{edited}",
        quoted(&handlers),
        installed.files.len()
    );
    report.end(State::Unchanged, &sentence, Some(&installed.version));
    Ok(())
}

fn quoted(handlers: &[String]) -> String {
    let quoted: Vec<String> = handlers.iter().map(|handler| format!("`{handler}`")).collect();
    quoted.join(", ")
}

fn damages(installed: &Installed) -> Result<Vec<String>, InstallError> {
    let now = files::sums(&folder(&installed.version))?;
    let lost = installed
        .files
        .iter()
        .filter(|(path, sum)| now.get(*path) != Some(*sum));
    let lost = lost.map(|(path, _)| format!("{path} is missing or has other bytes"));
    let new = now.keys().filter(|path| !installed.files.contains_key(*path));
    Ok(lost.chain(new.map(|path| format!("{path} is not of it"))).collect())
}
