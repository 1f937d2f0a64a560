//! Inspects CRI-O. It has no command that prints the loaded configuration, so its files are read.

use std::fs;
use std::path::{Path, PathBuf};

use super::node::{MainConfig, Node};
use super::runtime_process::{RuntimeProcess, find_process, read_version};
use crate::config_method::Configuration;
use crate::entry::{self, Form};
use crate::host;
use crate::report::InstallError;

const CONFIG: &str = "/etc/crio/crio.conf";
const SOCKET: &str = "/var/run/crio/crio.sock";

pub(super) fn inspect() -> Result<Node, InstallError> {
    let RuntimeProcess { program, unit, .. } = find_process("crio")?;
    let path = PathBuf::from(CONFIG);
    let text = host::read(&path)?;
    Ok(Node {
        version: read_version(&program)?,
        unit,
        socket: SOCKET.into(),
        program,
        main: MainConfig { path, text },
        configuration: Configuration::for_crio(),
        dump: None,
    })
}

/// Whether a configuration file other than the engine's own drop-in has an entry of the handler.
pub(super) fn has_handler(own_file: &Path, handler: &str) -> Result<bool, InstallError> {
    let folder = own_file.parent().unwrap_or(own_file);
    let drop_ins = fs::read_dir(folder)
        .into_iter()
        .flatten()
        .filter_map(Result::ok)
        .map(|entry| entry.path());
    let foreign_files = drop_ins.filter(|path| path != own_file).chain([PathBuf::from(CONFIG)]);
    for path in foreign_files {
        let text = host::read(&path)?.unwrap_or_default();
        if entry::handlers(&text, Form::Crio).iter().any(|name| name == handler) {
            return Ok(true);
        }
    }
    Ok(false)
}
