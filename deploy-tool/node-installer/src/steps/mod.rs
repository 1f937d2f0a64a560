//! One file a verb: each reads as the list of its steps.

pub mod check;
pub mod install;
pub mod remove;
pub mod status;

use std::fs;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::detect::Node;
use crate::host::{self, file_error};
use crate::record::{BACKUP, Before, FOLDER, INSTALLED, Installed, UNFINISHED, Unfinished, folder, unneeded};
use crate::report::{InstallError, Report};
use crate::{containers, files, service};
use node_protocol::State;
use node_protocol::number::{NO_WAY_BACK, REFUSED, SILENT};

/// CommandOutput of a node without a record: what it may have is part of its image.
const NOTHING: &str = "nothing is installed by this";

/// What is written down of this node.
struct Records {
    installed: Option<Installed>,
    unfinished: Option<Unfinished>,
}

impl Records {
    fn read() -> Result<Self, InstallError> {
        Ok(Self {
            installed: read(INSTALLED)?,
            unfinished: read(UNFINISHED)?,
        })
    }

    /// Nothing was ever begun here.
    fn are_empty(&self) -> bool {
        self.installed.is_none() && self.unfinished.is_none()
    }

    /// Where the entry is, if it is anywhere.
    fn path(&self) -> Option<&Path> {
        let begun = self.unfinished.as_ref().map(|unfinished| &unfinished.path);
        let path = self.installed.as_ref().map(|installed| &installed.path).or(begun);
        path.map(PathBuf::as_path)
    }

    /// What was installed when the run began, or one before it that was cut off.
    fn before(&self) -> Option<&Installed> {
        match self.unfinished.as_ref().map(|unfinished| &unfinished.before) {
            Some(Before::Nothing) => None,
            Some(Before::Installed(before)) => Some(before),
            Some(Before::Unknown) | None => self.installed.as_ref(),
        }
    }

    /// All handlers that may have an entry: those of what was cut off, too, and what leads to the engine by any name.
    fn handlers(&self, node: &Node) -> Vec<String> {
        let all = [self.before(), self.installed.as_ref()].into_iter().flatten();
        let found = node.dump.iter().flat_map(|dump| dump.handlers_below(FOLDER));
        all.flat_map(Installed::handlers).chain(found).collect()
    }
}

/// The engine that a node without a record has: it is part of its image.
fn of_image() -> Result<Option<String>, InstallError> {
    Ok(files::versions(Path::new(FOLDER))?.into_iter().next())
}

fn read<T: DeserializeOwned>(path: &str) -> Result<Option<T>, InstallError> {
    let path = Path::new(path);
    let text = host::read(path)?;
    text.map(|text| serde_json::from_str(&text))
        .transpose()
        .map_err(|error| file_error("read", path, error))
}

fn write(path: &str, record: &impl Serialize) -> Result<(), InstallError> {
    let path = Path::new(path);
    let text = serde_json::to_string_pretty(record).map_err(|error| file_error("write", path, error))?;
    host::write(path, &text)
}

fn sum(text: &str) -> Result<String, InstallError> {
    host::checksum(text.as_bytes()).map_err(|error| file_error("hash", Path::new(FOLDER), error))
}

/// A change of the node that comes to its end, or back to where it began.
struct Change {
    begun: Unfinished,
    /// Whether the runtime may know another configuration than that of the beginning.
    is_restarted: bool,
}

impl Change {
    /// Writes down where a change begins before anything is touched, so that a run that is cut off can be put right. After
    /// one that was, the beginning stays what it was.
    fn begin(path: &Path, start: Option<String>, records: &Records) -> Result<Self, InstallError> {
        // Earlier releases have let everybody read it.
        host::make_private(Path::new(BACKUP))?;
        if let Some(begun) = records.unfinished.clone() {
            return Ok(Self {
                begun,
                is_restarted: true,
            });
        }
        let before = records.installed.clone().map(Box::new);
        let begun = Unfinished {
            path: path.to_owned(),
            start,
            folder: host::missing_folder(path),
            before: before.map_or(Before::Nothing, Before::Installed),
        };
        write(UNFINISHED, &begun)?;
        Ok(Self {
            begun,
            is_restarted: false,
        })
    }

    /// Puts a text into the file of the configuration and starts the runtime again. Nothing but runtimes of these handlers
    /// may be another than before.
    fn configure(
        &mut self,
        report: &Report,
        node: &Node,
        text: Option<&str>,
        handlers: &[String],
        program: Option<&str>,
    ) -> Result<(), InstallError> {
        put(&self.begun.path, text)?;
        check_loaded(node, handlers, program)?;
        let path = self.begun.path.display();
        report.step(
            "configuration",
            State::Changed,
            &format!("{path} is written and can be loaded"),
        );
        self.is_restarted = true;
        service::restart(&node.unit, &node.socket).map_err(|causes| {
            let silent = InstallError::new(
                SILENT,
                format!("{} does not answer with the new configuration", node.unit),
            );
            causes.iter().fold(silent, InstallError::cause)
        })?;
        let sentence = format!("{} is started again and answers", node.unit);
        report.step("restart", State::Changed, &sentence);
        Ok(())
    }

    /// Brings back everything that was there when the change began. Returns the reason, or what is worse.
    fn fail(self, node: &Node, reason: InstallError) -> InstallError {
        match self.back(node, &reason) {
            Ok(None) => reason.cause(match self.is_restarted {
                true => "what was there before is back, and the runtime answers",
                false => "what was there before is back; the runtime was not started again",
            }),
            Ok(Some(still)) => reason.cause(still.sentence),
            Err(lost) if lost.code == NO_WAY_BACK => lost,
            Err(lost) => {
                let half = InstallError::new(NO_WAY_BACK, "what was there before could not be brought back");
                let half = half.cause(lost.sentence);
                lost.because
                    .iter()
                    .fold(half, InstallError::cause)
                    .cause(reason.sentence)
            }
        }
    }

    /// Says what has to stay, such as what containers need.
    fn back(&self, node: &Node, reason: &InstallError) -> Result<Option<InstallError>, InstallError> {
        let Unfinished { path, start, .. } = &self.begun;
        if host::read(path)? != *start {
            put(path, start.as_deref())?;
        }
        if let (Some(folder), None) = (&self.begun.folder, start) {
            host::remove_empty_folders(path, folder)?;
        }
        match &self.begun.before {
            Before::Nothing => host::remove(Path::new(INSTALLED))?,
            Before::Installed(before) if read(INSTALLED)?.as_ref() == Some(&**before) => {}
            Before::Installed(before) => write(INSTALLED, before)?,
            Before::Unknown => {}
        }
        if self.is_restarted {
            service::restart(&node.unit, &node.socket).map_err(|causes| {
                let lost = InstallError::new(
                    NO_WAY_BACK,
                    format!("{} does not answer with the old configuration either", node.unit),
                );
                causes.iter().fold(lost, InstallError::cause).cause(&reason.sentence)
            })?;
        }
        if self.begun.before == Before::Nothing {
            // What a container needs is gone on with, or taken away, by the next run.
            if let Err(in_use) = containers::wait(node, &files::versions(Path::new(FOLDER))?) {
                return Ok(Some(in_use));
            }
            clear_away()?;
            return Ok(None);
        }
        host::remove(Path::new(UNFINISHED))?;
        Ok(prune(node).err())
    }
}

/// Ends a change that went well. What nobody needs any more is tried to be deleted the next time, too.
fn finish(report: &Report, node: &Node) -> Result<(), InstallError> {
    host::remove(Path::new(UNFINISHED))?;
    if let Err(trouble) = prune(node) {
        let sentence = [vec![trouble.sentence], trouble.because].concat().join(": ");
        report.step("older versions", State::Failed, &sentence);
    }
    Ok(())
}

fn put(path: &Path, text: Option<&str>) -> Result<(), InstallError> {
    if let (Some(folder), Some(_)) = (path.parent(), text) {
        fs::create_dir_all(folder).map_err(|error| file_error("make", folder, error))?;
    }
    host::write_or_remove(path, text)
}

/// The configuration as it lies there now says the same as before, but for our runtimes, which have a program, or are gone.
fn check_loaded(node: &Node, handlers: &[String], program: Option<&str>) -> Result<(), InstallError> {
    let refused = || {
        InstallError::new(
            REFUSED,
            format!("containerd {} does not take the new configuration", node.version),
        )
    };
    let now = node.dump_now().map_err(|error| refused().cause(error))?;
    let (Some(before), Some(now)) = (&node.dump, &now) else {
        return Ok(());
    };
    if !before.differs_by_runtimes_only(now, handlers) {
        return Err(refused().cause("with it, other settings would be lost"));
    }
    match program.and_then(|program| handlers.iter().find(|handler| now.program(handler) != Some(program))) {
        None => Ok(()),
        Some(handler) => Err(refused().cause(format!(
            "another file that it imports says something else of the runtime `{handler}`, or replaces it"
        ))),
    }
}

/// Deletes the versions that neither the record nor a container needs.
fn prune(node: &Node) -> Result<(), InstallError> {
    let installed: Option<Installed> = read(INSTALLED)?;
    let Some(installed) = installed else {
        return Ok(());
    };
    let replaced = installed.replaced.as_ref().map(|replaced| replaced.version.as_str());
    let kept: Vec<&str> = std::iter::once(installed.version.as_str()).chain(replaced).collect();
    let used: Vec<String> = containers::users(node)?.into_iter().map(|user| user.version).collect();
    for version in unneeded(&files::versions(Path::new(FOLDER))?, &kept, &used) {
        host::remove_folder(&folder(&version))?;
    }
    Ok(())
}

/// Deletes everything that was installed, and last what says so: a run that is cut off here is gone on with, too.
fn clear_away() -> Result<(), InstallError> {
    for version in files::versions(Path::new(FOLDER))? {
        host::remove_folder(&folder(&version))?;
    }
    for path in [BACKUP, INSTALLED, UNFINISHED] {
        host::remove(Path::new(path))?;
    }
    host::remove_folder(Path::new(FOLDER))
}
