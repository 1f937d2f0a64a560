//! One file per verb: each is the list of its steps.

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
use crate::record::{
    BACKUP, FOLDER, INSTALLED, Installed, PreviousInstall, UNFINISHED, Unfinished, find_unneeded, version_folder,
};
use crate::report::{InstallError, Report};
use crate::{containers, files, service};
use node_protocol::State;
use node_protocol::number::{NO_WAY_BACK, REFUSED, SILENT};

/// Message for a node without a record: an engine that it may have is part of its image.
const NOTHING: &str = "nothing is installed by this";

/// The records on this node.
struct Records {
    installed: Option<Installed>,
    unfinished: Option<Unfinished>,
}

impl Records {
    fn read() -> Result<Self, InstallError> {
        Ok(Self {
            installed: read_record(INSTALLED)?,
            unfinished: read_record(UNFINISHED)?,
        })
    }

    /// Whether no installation was ever begun.
    fn are_empty(&self) -> bool {
        self.installed.is_none() && self.unfinished.is_none()
    }

    /// The path of the file with the entry, if there is one.
    fn path(&self) -> Option<&Path> {
        let begun = self.unfinished.as_ref().map(|unfinished| &unfinished.path);
        let path = self.installed.as_ref().map(|installed| &installed.path).or(begun);
        path.map(PathBuf::as_path)
    }

    /// What was installed at the start of the run, or at the start of an earlier run that was interrupted.
    fn previous_install(&self) -> Option<&Installed> {
        match self.unfinished.as_ref().map(|unfinished| &unfinished.before) {
            Some(PreviousInstall::Nothing) => None,
            Some(PreviousInstall::Installed(before)) => Some(before),
            Some(PreviousInstall::Unknown) | None => self.installed.as_ref(),
        }
    }

    /// All handlers that may have an entry: also those of an interrupted run, and any other whose program is the engine.
    fn handlers(&self, node: &Node) -> Vec<String> {
        let all = [self.previous_install(), self.installed.as_ref()].into_iter().flatten();
        let found = node.dump.iter().flat_map(|dump| dump.handlers_with_program_in(FOLDER));
        all.flat_map(Installed::handlers).chain(found).collect()
    }
}

/// The version of the engine on a node without a record: it is part of the node's image.
fn find_image_engine() -> Result<Option<String>, InstallError> {
    Ok(files::list_versions(Path::new(FOLDER))?.into_iter().next())
}

fn read_record<T: DeserializeOwned>(path: &str) -> Result<Option<T>, InstallError> {
    let path = Path::new(path);
    let text = host::read(path)?;
    text.map(|text| serde_json::from_str(&text))
        .transpose()
        .map_err(|error| file_error("read", path, error))
}

fn write_record(path: &str, record: &impl Serialize) -> Result<(), InstallError> {
    let path = Path::new(path);
    let text = serde_json::to_string_pretty(record).map_err(|error| file_error("write", path, error))?;
    host::write(path, &text)
}

fn checksum_text(text: &str) -> Result<String, InstallError> {
    host::checksum(text.as_bytes()).map_err(|error| file_error("hash", Path::new(FOLDER), error))
}

/// A change of the node, which is either finished or rolled back.
struct Change {
    begun: Unfinished,
    /// Whether the runtime may have loaded another configuration since the start.
    is_restarted: bool,
}

impl Change {
    /// Records the state at the start before anything is changed, so that the next run can repair an interrupted one. Keeps
    /// the record of an interrupted run, as its start is the last consistent state.
    fn begin(path: &Path, start: Option<String>, records: &Records) -> Result<Self, InstallError> {
        // Earlier releases created it readable by all users.
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
            before: before.map_or(PreviousInstall::Nothing, PreviousInstall::Installed),
        };
        write_record(UNFINISHED, &begun)?;
        Ok(Self {
            begun,
            is_restarted: false,
        })
    }

    /// Writes the configuration file, checks it, and restarts the runtime. Fails if anything but the runtimes of these
    /// handlers would change.
    fn configure(
        &mut self,
        report: &Report,
        node: &Node,
        text: Option<&str>,
        handlers: &[String],
        program: Option<&str>,
    ) -> Result<(), InstallError> {
        put_file(&self.begun.path, text)?;
        check_loaded(node, handlers, program)?;
        let path = self.begun.path.display();
        report.step(
            "configuration",
            State::Changed,
            &format!("{path} is written and can be loaded"),
        );
        self.is_restarted = true;
        service::restart_runtime(&node.unit, &node.socket).map_err(|causes| {
            let error = InstallError::new(
                SILENT,
                format!("{} does not answer with the new configuration", node.unit),
            );
            causes.iter().fold(error, InstallError::cause)
        })?;
        let sentence = format!("{} is started again and answers", node.unit);
        report.step("restart", State::Changed, &sentence);
        Ok(())
    }

    /// Restores the state at the start of the change. Returns `reason`, or the error of the rollback where that fails as well.
    fn roll_back(self, node: &Node, reason: InstallError) -> InstallError {
        match self.restore(node, &reason) {
            Ok(None) => reason.cause(if self.is_restarted {
                "what was there before is back, and the runtime answers"
            } else {
                "what was there before is back; the runtime was not started again"
            }),
            Ok(Some(blocker)) => reason.cause(blocker.message),
            Err(rollback_error) if rollback_error.code == NO_WAY_BACK => rollback_error,
            Err(rollback_error) => {
                let error = InstallError::new(NO_WAY_BACK, "what was there before could not be brought back");
                let error = error.cause(rollback_error.message);
                rollback_error
                    .causes
                    .iter()
                    .fold(error, InstallError::cause)
                    .cause(reason.message)
            }
        }
    }

    /// Restores the files and restarts the runtime. Returns an error that does not stop it: files that containers still need.
    fn restore(&self, node: &Node, reason: &InstallError) -> Result<Option<InstallError>, InstallError> {
        let Unfinished { path, start, .. } = &self.begun;
        if host::read(path)? != *start {
            put_file(path, start.as_deref())?;
        }
        if let (Some(folder), None) = (&self.begun.folder, start) {
            host::remove_empty_folders(path, folder)?;
        }
        match &self.begun.before {
            PreviousInstall::Nothing => host::remove(Path::new(INSTALLED))?,
            PreviousInstall::Installed(before) if read_record(INSTALLED)?.as_ref() == Some(&**before) => {}
            PreviousInstall::Installed(before) => write_record(INSTALLED, before)?,
            PreviousInstall::Unknown => {}
        }
        if self.is_restarted {
            service::restart_runtime(&node.unit, &node.socket).map_err(|causes| {
                let rollback_error = InstallError::new(
                    NO_WAY_BACK,
                    format!("{} does not answer with the old configuration either", node.unit),
                );
                causes
                    .iter()
                    .fold(rollback_error, InstallError::cause)
                    .cause(&reason.message)
            })?;
        }
        if self.begun.before == PreviousInstall::Nothing {
            // The record stays while containers need the files, so that the next run continues or removes them.
            if let Err(in_use) = containers::wait_until_unused(node, &files::list_versions(Path::new(FOLDER))?) {
                return Ok(Some(in_use));
            }
            delete_installation()?;
            return Ok(None);
        }
        host::remove(Path::new(UNFINISHED))?;
        Ok(delete_unneeded_versions(node).err())
    }
}

/// Ends a successful change. A failure to delete old versions is only reported: the next run tries it again.
fn finish_change(report: &Report, node: &Node) -> Result<(), InstallError> {
    host::remove(Path::new(UNFINISHED))?;
    if let Err(error) = delete_unneeded_versions(node) {
        let sentence = error.into_lines().join(": ");
        report.step("older versions", State::Failed, &sentence);
    }
    Ok(())
}

fn put_file(path: &Path, text: Option<&str>) -> Result<(), InstallError> {
    if let (Some(folder), Some(_)) = (path.parent(), text) {
        fs::create_dir_all(folder).map_err(|error| file_error("make", folder, error))?;
    }
    host::write_or_remove(path, text)
}

/// Checks the new configuration as the runtime loads it: nothing has changed but these handlers, and they have this program.
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
fn delete_unneeded_versions(node: &Node) -> Result<(), InstallError> {
    let installed: Option<Installed> = read_record(INSTALLED)?;
    let Some(installed) = installed else {
        return Ok(());
    };
    let replaced = installed.replaced.as_ref().map(|replaced| replaced.version.as_str());
    let kept: Vec<&str> = std::iter::once(installed.version.as_str()).chain(replaced).collect();
    let used: Vec<String> = containers::list_users(node)?
        .into_iter()
        .map(|user| user.version)
        .collect();
    for version in find_unneeded(&files::list_versions(Path::new(FOLDER))?, &kept, &used) {
        host::remove_folder(&version_folder(&version))?;
    }
    Ok(())
}

/// Deletes everything that was installed, the records last: after an interruption, the next run continues.
fn delete_installation() -> Result<(), InstallError> {
    for version in files::list_versions(Path::new(FOLDER))? {
        host::remove_folder(&version_folder(&version))?;
    }
    for path in [BACKUP, INSTALLED, UNFINISHED] {
        host::remove(Path::new(path))?;
    }
    host::remove_folder(Path::new(FOLDER))
}
