//! What is written down of an installation, beside the engine: what there is to take away, and what to bring back.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// The folder of everything that is installed.
pub const FOLDER: &str = "/opt/wasm-engine";
/// The record of what is installed.
pub const INSTALLED: &str = "/opt/wasm-engine/installed.json";
/// Is there from before the configuration is touched until the runtime answers.
pub const UNFINISHED: &str = "/opt/wasm-engine/unfinished.json";
/// The configuration file as it was before the first installation, where there was one.
pub const BACKUP: &str = "/opt/wasm-engine/configuration.before";

/// What is installed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Installed {
    /// The engine's version: a folder's name.
    pub version: String,
    /// The version before it, which is still there for the pods that were started with it.
    pub previous: Option<String>,
    /// The name by which RuntimeClasses know it.
    pub handler: String,
    /// The file that has the entry.
    pub path: PathBuf,
    /// SHA-256 of that file as it was written.
    pub written: String,
    /// Whether that file was there before.
    pub has_backup: bool,
    /// The folder that was made for that file, where there was none.
    pub folder: Option<PathBuf>,
    /// SHA-256 of the engine's files, by their paths below the version's folder.
    pub files: BTreeMap<String, String>,
}

/// What a run that was cut off was about to change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Unfinished {
    /// The file that has the entry.
    pub path: PathBuf,
    /// What the file was when the run began; none where there was none.
    pub start: Option<String>,
    /// The folder that was made for that file, where there was none.
    pub folder: Option<PathBuf>,
}

/// What the file is to be after a removal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Restored {
    /// Exactly what it was before the first installation.
    Backup,
    /// Without our entry: somebody has changed the rest since.
    Edited,
    /// Gone.
    Nothing,
}

impl Installed {
    /// Decides it by the SHA-256 of the file as it is now.
    pub fn restored(&self, now: Option<&str>) -> Restored {
        match (now, self.has_backup) {
            (None, _) => Restored::Nothing,
            (Some(now), true) if now == self.written => Restored::Backup,
            (Some(now), false) if now == self.written => Restored::Nothing,
            (Some(_), _) => Restored::Edited,
        }
    }
}

/// The folder of a version.
pub fn folder(version: &str) -> PathBuf {
    PathBuf::from(FOLDER).join(version)
}

/// The crun of a version.
pub fn program(version: &str) -> String {
    format!("{FOLDER}/{version}/bin/crun")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_backup_comes_back_only_where_nobody_has_changed_the_file_since() {
        let installed = |has_backup| Installed {
            version: "2".into(),
            previous: None,
            handler: "crun".into(),
            path: "/etc/x".into(),
            written: "sum".into(),
            has_backup,
            folder: None,
            files: BTreeMap::new(),
        };
        for (has_backup, now, expected) in [
            (true, Some("sum"), Restored::Backup),
            (true, Some("other"), Restored::Edited),
            (false, Some("sum"), Restored::Nothing),
            (false, Some("other"), Restored::Edited),
            (true, None, Restored::Nothing),
        ] {
            assert_eq!(installed(has_backup).restored(now), expected, "{has_backup} {now:?}");
        }
    }
}
