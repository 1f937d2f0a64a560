//! What is known of the node: the version, unit, socket and configuration of its container runtime.

use std::path::{Path, PathBuf};

use super::config_dump;
use crate::config_method::{ConfigMethod, Configuration};
use crate::dump::Dump;
use crate::entry;

/// The node's runtime and its configuration.
#[derive(Clone, Debug)]
pub struct Node {
    /// The version of the runtime.
    pub version: String,
    /// The systemd unit that runs it.
    pub unit: String,
    /// The socket of its CRI server.
    pub socket: PathBuf,
    /// The path of its program.
    pub(super) program: String,
    /// Its main configuration file.
    pub(super) main: MainConfig,
    /// How the entry is added to its configuration.
    pub configuration: Configuration,
    /// The configuration as the runtime has loaded it; none for CRI-O, which has no command for that.
    pub dump: Option<Dump>,
}

/// The main configuration file of a runtime, as it was read at the start of the run.
#[derive(Clone, Debug)]
pub struct MainConfig {
    /// Its path.
    pub path: PathBuf,
    /// Its text; none where there is no such file and the runtime uses its defaults.
    pub text: Option<String>,
}

impl Node {
    /// Dumps the configuration with another text in place of the main file, without writing a file on the node. None for
    /// CRI-O.
    ///
    /// # Errors
    /// When the runtime does not load it.
    pub fn dump_with(&self, text: &str) -> Result<Option<Dump>, String> {
        if self.dump.is_none() {
            return Ok(None);
        }
        let folder = self.main.path.parent().unwrap_or(Path::new("/"));
        let text = entry::resolve_imports(text, folder)?;
        config_dump::dump_text(&self.program, &text).map(Some)
    }

    /// Whether the loaded configuration does not have all of these handlers with this program; false for CRI-O, which does
    /// not tell.
    pub fn lacks_handlers(&self, handlers: &[String], program: &str) -> bool {
        let lacks = |dump: &Dump| handlers.iter().any(|handler| dump.program(handler) != Some(program));
        self.dump.as_ref().is_some_and(lacks)
    }

    /// Dumps the configuration as it is on the disk now. None for CRI-O, and for k3s and RKE2, which generate the file at
    /// the next start.
    ///
    /// # Errors
    /// When the runtime does not load it.
    pub fn dump_now(&self) -> Result<Option<Dump>, String> {
        match (&self.dump, &self.configuration.method) {
            (None, _) | (_, ConfigMethod::Template(_)) => Ok(None),
            _ => {
                let path = Some(self.main.path.as_path()).filter(|path| path.exists());
                config_dump::dump_file(&self.program, path).map(Some)
            }
        }
    }

    /// The text of the main configuration file, as it was read at the start.
    pub fn main_text(&self) -> &str {
        self.main.text.as_deref().unwrap_or_default()
    }
}
