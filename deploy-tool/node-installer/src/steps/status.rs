//! `status`: what is installed, and whether it is as it was installed.

use super::{NOTHING, Records, sum};
use crate::files;
use crate::host;
use crate::look;
use crate::record::{Installed, folder};
use crate::report::{Report, Trouble};
use node_protocol::Arguments;
use node_protocol::State;
use node_protocol::number::ENGINE;

/// Runs it.
///
/// # Errors
/// When what is installed is not as it should be: what is not.
pub fn run(report: &Report, arguments: &Arguments) -> Result<(), Trouble> {
    let records = Records::read()?;
    if records.unfinished.is_some() {
        return Err(Trouble::new(ENGINE, "an installation or removal was cut off").next(
            "run `deploy-tool node install` or `node remove` for this node again: it goes on where that stopped",
        ));
    }
    let Some(installed) = records.installed else {
        report.end(State::Unchanged, NOTHING, None);
        return Ok(());
    };
    let damaged = damages(&installed)?;
    if !damaged.is_empty() {
        let trouble = Trouble::new(ENGINE, format!("{} is not as it was installed", installed.version));
        return Err(damaged
            .iter()
            .fold(trouble, Trouble::because)
            .next("install it again: `deploy-tool node install`"));
    }
    let node = look::node(arguments.runtime, &arguments.handler)?;
    if node.dump.as_ref().is_some_and(|dump| !dump.has(&installed.handler)) {
        return Err(Trouble::new(
            ENGINE,
            format!("the configuration has no runtime `{}` any more", installed.handler),
        )
        .next("install it again: `deploy-tool node install`"));
    }
    let edited = match host::read(&installed.path)?.map(|text| sum(&text)).transpose()? {
        Some(sum) if sum == installed.written => "",
        _ => "; its configuration was edited since",
    };
    let sentence = format!(
        "handler `{}`, {} files, all as installed{edited}",
        installed.handler,
        installed.files.len()
    );
    report.end(State::Unchanged, &sentence, Some(&installed.version));
    Ok(())
}

fn damages(installed: &Installed) -> Result<Vec<String>, Trouble> {
    let now = files::sums(&folder(&installed.version))?;
    let lost = installed
        .files
        .iter()
        .filter(|(path, sum)| now.get(*path) != Some(*sum));
    let lost = lost.map(|(path, _)| format!("{path} is missing or has other bytes"));
    let new = now.keys().filter(|path| !installed.files.contains_key(*path));
    Ok(lost.chain(new.map(|path| format!("{path} is not of it"))).collect())
}
