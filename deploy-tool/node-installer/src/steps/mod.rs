//! One file a verb: each reads as the list of its steps.

pub mod check;
pub mod install;
pub mod remove;
pub mod status;

use std::fs;
use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::host::{self, trouble};
use crate::look::Node;
use crate::record::{FOLDER, INSTALLED, Installed, UNFINISHED, Unfinished};
use crate::report::{Report, Trouble};
use crate::service;
use node_protocol::State;
use node_protocol::number::{NO_WAY_BACK, REFUSED, SILENT};

/// Said of a node without a record: what it may have is part of its image.
const NOTHING: &str = "nothing is installed by this";

/// What is written down of this node.
struct Records {
    installed: Option<Installed>,
    unfinished: Option<Unfinished>,
}

impl Records {
    fn read() -> Result<Self, Trouble> {
        Ok(Self {
            installed: read(INSTALLED)?,
            unfinished: read(UNFINISHED)?,
        })
    }

    /// Nothing was ever begun here.
    fn are_empty(&self) -> bool {
        self.installed.is_none() && self.unfinished.is_none()
    }
}

fn read<T: DeserializeOwned>(path: &str) -> Result<Option<T>, Trouble> {
    let path = Path::new(path);
    let text = host::read(path)?;
    text.map(|text| serde_json::from_str(&text))
        .transpose()
        .map_err(|error| trouble("read", path, error))
}

fn write(path: &str, record: &impl Serialize) -> Result<(), Trouble> {
    let path = Path::new(path);
    let text = serde_json::to_string_pretty(record).map_err(|error| trouble("write", path, error))?;
    host::write(path, &text)
}

fn sum(text: &str) -> Result<String, Trouble> {
    host::checksum(text.as_bytes()).map_err(|error| trouble("hash", Path::new(FOLDER), error))
}

/// Where a change begins: written down before anything is touched, so that a run that is cut off can be put right.
fn begin(path: &Path, start: Option<String>, unfinished: Option<Unfinished>) -> Result<Unfinished, Trouble> {
    if let Some(unfinished) = unfinished {
        return Ok(unfinished);
    }
    let folder = path.parent().filter(|folder| !folder.exists());
    let begun = Unfinished {
        path: path.to_owned(),
        start,
        folder: folder.map(Path::to_owned),
    };
    write(UNFINISHED, &begun)?;
    Ok(begun)
}

/// Puts a text into the file of the configuration and starts the runtime again; brings back what was there, where that
/// does not go well.
fn converge(
    report: &Report,
    node: &Node,
    begun: &Unfinished,
    text: Option<&str>,
    handler: &str,
) -> Result<(), Trouble> {
    let path = &begun.path;
    let changed = put(path, text).and_then(|()| loads(node, handler)).and_then(|()| {
        report.step(
            "configuration",
            State::Changed,
            &format!("{} is written and can be loaded", path.display()),
        );
        service::restart(node).map_err(|said| {
            let silent = Trouble::new(
                SILENT,
                format!("{} does not answer with the new configuration", node.unit),
            );
            said.iter().fold(silent, Trouble::because)
        })
    });
    let Err(trouble) = changed else {
        report.step(
            "restart",
            State::Changed,
            &format!("{} is started again and answers", node.unit),
        );
        return Ok(());
    };
    put(path, begun.start.as_deref())?;
    if let Some(folder) = &begun.folder {
        host::remove_folder(folder)?;
    }
    match service::restart(node) {
        Ok(()) => Err(trouble.because("what was there before is back, and the runtime answers")),
        Err(said) => {
            let lost = Trouble::new(
                NO_WAY_BACK,
                format!("{} does not answer with the old configuration either", node.unit),
            );
            Err(said.iter().fold(lost, Trouble::because).because(trouble.sentence))
        }
    }
}

fn put(path: &Path, text: Option<&str>) -> Result<(), Trouble> {
    if let (Some(folder), Some(_)) = (path.parent(), text) {
        fs::create_dir_all(folder).map_err(|error| trouble("make", folder, error))?;
    }
    host::settle(path, text)
}

/// The configuration as it lies there now says the same as before, but for our runtime.
fn loads(node: &Node, handler: &str) -> Result<(), Trouble> {
    let refused = || {
        Trouble::new(
            REFUSED,
            format!("containerd {} does not take the new configuration", node.version),
        )
    };
    let now = node.dump_now().map_err(|error| refused().because(error))?;
    let same = match (&node.dump, &now) {
        (Some(before), Some(now)) => before.differs_by_runtime_only(now, handler),
        _ => true,
    };
    match same {
        true => Ok(()),
        false => Err(refused().because("with it, other settings would be lost")),
    }
}

/// Whether there is anything in a folder.
fn is_empty(folder: &Path) -> bool {
    fs::read_dir(folder).map_or(true, |mut entries| entries.next().is_none())
}
