//! The records of an installation, in JSON beside the engine: what a removal deletes and a rollback restores.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// The folder of everything that is installed.
pub const FOLDER: &str = "/opt/wasm-engine";
/// The record of what is installed.
pub const INSTALLED: &str = "/opt/wasm-engine/installed.json";
/// The record of a change that has begun: exists until the runtime answers with the new configuration.
pub const UNFINISHED: &str = "/opt/wasm-engine/unfinished.json";
/// The configuration file as it was before the first installation, where there was one.
pub const BACKUP: &str = "/opt/wasm-engine/configuration.before";

/// What is installed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Installed {
    /// The engine's version: a folder's name.
    pub version: String,
    /// The name by which RuntimeClasses know it: the one of the last installation.
    pub handler: String,
    /// The names of earlier installations, which RuntimeClasses may still have.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub earlier_handlers: Vec<String>,
    /// What it has replaced: that version is kept as long as containers need it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaced: Option<Box<Installed>>,
    /// Whether it has replaced a damaged installation of the same version.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_repaired: bool,
    /// The file that has the entry.
    pub path: PathBuf,
    /// SHA-256 of that file as it was written.
    pub written: String,
    /// Whether that file was there before.
    pub has_backup: bool,
    /// The topmost folder that was created for that file.
    pub folder: Option<PathBuf>,
    /// SHA-256 of the engine's files, by their paths below the version's folder.
    pub files: BTreeMap<String, String>,
}

/// What was installed when a run began.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum PreviousInstall {
    /// Not recorded: the run was one of an earlier release.
    #[default]
    Unknown,
    /// Nothing.
    Nothing,
    /// This.
    Installed(Box<Installed>),
}

/// The state of the node at the start of a run, to which a run that fails or was interrupted is rolled back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Unfinished {
    /// The file that has the entry.
    pub path: PathBuf,
    /// The text of the file when the run began; none where it did not exist.
    pub start: Option<String>,
    /// The topmost folder that was created for that file.
    pub folder: Option<PathBuf>,
    /// What was installed when the run began.
    #[serde(default)]
    pub before: PreviousInstall,
}

/// What a removal does with the configuration file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RestoreAction {
    /// Restores the backup from before the first installation.
    Backup,
    /// Removes only the entry: the file was edited since the installation.
    Edited,
    /// Deletes the file.
    Nothing,
}

impl Installed {
    /// All handlers, the newest first.
    pub fn handlers(&self) -> Vec<String> {
        let own = std::iter::once(&self.handler);
        own.chain(&self.earlier_handlers).cloned().collect()
    }

    /// Adds the record of what this installation replaces.
    #[must_use]
    pub fn with_replaced(self, before: Option<&Self>) -> Self {
        let Some(before) = before else {
            return self;
        };
        let is_repaired = before.version == self.version && before.handlers() == self.handlers();
        // Only one installation back is kept.
        let previous = || {
            Box::new(Self {
                replaced: None,
                is_repaired: false,
                ..before.clone()
            })
        };
        Self {
            replaced: if is_repaired {
                before.replaced.clone()
            } else {
                Some(previous())
            },
            is_repaired,
            ..self
        }
    }

    /// What `undo` goes back to.
    pub fn undo_target(&self) -> UndoTarget {
        match (&self.replaced, self.is_repaired) {
            (_, true) => UndoTarget::None,
            (Some(replaced), false) => UndoTarget::Installed(replaced.clone()),
            (None, false) => UndoTarget::Nothing,
        }
    }

    /// Decides by the SHA-256 of the file as it is now.
    pub fn restore_action(&self, now: Option<&str>) -> RestoreAction {
        match (now, self.has_backup) {
            (None, _) => RestoreAction::Nothing,
            (Some(now), true) if now == self.written => RestoreAction::Backup,
            (Some(now), false) if now == self.written => RestoreAction::Nothing,
            (Some(_), _) => RestoreAction::Edited,
        }
    }
}

/// What `undo` goes back to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UndoTarget {
    /// Nothing was installed before.
    Nothing,
    /// This was installed before.
    Installed(Box<Installed>),
    /// The same version, damaged: `undo` keeps the repaired one.
    None,
}

/// The handlers of an installation, the new one first. Earlier ones stay: RuntimeClasses may still name them.
pub fn merge_handlers(wanted: &str, installed: Option<&Installed>) -> Vec<String> {
    let earlier = installed.map(Installed::handlers).unwrap_or_default();
    let earlier = earlier.into_iter().filter(|handler| handler != wanted);
    std::iter::once(wanted.to_owned()).chain(earlier).collect()
}

/// The versions that can be deleted: neither the records nor running containers need them.
pub fn find_unneeded(versions: &[String], kept: &[&str], used: &[String]) -> Vec<String> {
    let is_needed = |version: &String| kept.contains(&version.as_str()) || used.contains(version);
    versions.iter().filter(|version| !is_needed(version)).cloned().collect()
}

/// The folder of a version.
pub fn version_folder(version: &str) -> PathBuf {
    PathBuf::from(FOLDER).join(version)
}

/// The crun of a version.
pub fn crun_path(version: &str) -> String {
    format!("{FOLDER}/{version}/bin/crun")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn installed(version: &str, handlers: &[&str], has_backup: bool) -> Installed {
        let (handler, earlier) = handlers.split_first().unwrap();
        Installed {
            version: version.into(),
            handler: (*handler).into(),
            earlier_handlers: earlier.iter().map(|handler| (*handler).to_owned()).collect(),
            replaced: None,
            is_repaired: false,
            path: "/etc/x".into(),
            written: "sum".into(),
            has_backup,
            folder: None,
            files: BTreeMap::new(),
        }
    }

    #[test]
    fn the_backup_comes_back_only_where_nobody_has_changed_the_file_since() {
        for (has_backup, now, expected) in [
            (true, Some("sum"), RestoreAction::Backup),
            (true, Some("other"), RestoreAction::Edited),
            (false, Some("sum"), RestoreAction::Nothing),
            (false, Some("other"), RestoreAction::Edited),
            (true, None, RestoreAction::Nothing),
        ] {
            let installed = installed("2", &["crun"], has_backup);
            assert_eq!(installed.restore_action(now), expected, "{has_backup} {now:?}");
        }
    }

    #[test]
    fn a_repair_is_never_undone_and_all_else_goes_one_step_back() {
        let now = installed("2", &["crun"], true);
        let back = |record: &Installed| UndoTarget::Installed(Box::new(record.clone()));
        let (older, renamed) = (installed("1", &["crun"], true), installed("2", &["other"], true));
        for (before, expected) in [
            (None, UndoTarget::Nothing),
            (Some(&older), back(&older)),
            (Some(&renamed), back(&renamed)),
            (Some(&now), UndoTarget::None),
        ] {
            assert_eq!(now.clone().with_replaced(before).undo_target(), expected, "{before:?}");
        }
        // A newer one over a repaired one goes back to that, and not to what was damaged.
        let repaired = now.clone().with_replaced(Some(&now));
        let newer = installed("3", &["crun"], true).with_replaced(Some(&repaired));
        assert_eq!(newer.undo_target(), back(&now));
    }

    #[test]
    fn earlier_handlers_stay_behind_the_new_one() {
        assert_eq!(merge_handlers("a", None), ["a"]);
        assert_eq!(merge_handlers("b", Some(&installed("1", &["a"], true))), ["b", "a"]);
        assert_eq!(
            merge_handlers("a", Some(&installed("1", &["b", "a"], true))),
            ["a", "b"]
        );
    }

    #[test]
    fn versions_stay_for_as_long_as_somebody_needs_them() {
        let versions = ["1", "2", "3", "4"].map(str::to_owned);
        assert_eq!(find_unneeded(&versions, &["4", "3"], &["1".to_owned()]), ["2"]);
    }

    #[test]
    fn records_of_earlier_releases_are_read() {
        let installed: Installed = serde_json::from_str(
            r#"{"version":"1","previous":"0","handler":"crun","path":"/x","written":"s","hasBackup":true,"folder":null,"files":{}}"#,
        )
        .unwrap();
        assert_eq!(installed.handlers(), ["crun"]);
        let unfinished: Unfinished = serde_json::from_str(r#"{"path":"/x","start":null,"folder":null}"#).unwrap();
        assert_eq!(unfinished.before, PreviousInstall::Unknown);
    }
}
