//! Inspects containerd, also that of k3s and RKE2.

use std::fs;
use std::path::{Path, PathBuf};

use super::config_dump;
use super::links::resolve_link;
use super::node::{MainConfig, Node};
use super::runtime_process::{RuntimeProcess, find_process, read_version};
use crate::config_method::{ConfigMethod, Configuration};
use crate::host;
use crate::process::parse_config_flag;
use crate::report::InstallError;

const DEFAULT_CONFIG: &str = "/etc/containerd/config.toml";
const DEFAULT_SOCKET: &str = "/run/containerd/containerd.sock";

pub(super) fn inspect(recorded: Option<&Path>) -> Result<Node, InstallError> {
    let RuntimeProcess { process, program, unit } = find_process("containerd")?;
    let path = config_path(&process)?;
    let text = host::read(&path)?;
    let resolved = resolve_link(&path)?;
    let version = read_version(&program)?;
    let configuration = Configuration::for_containerd(&version, &path, text.as_deref().unwrap_or_default())
        .map_err(InstallError::unsupported_node)?;
    let configuration = match (recorded, &configuration.method) {
        (Some(recorded), _) => configuration.with_recorded_path(recorded),
        // Editing the target keeps the link a link.
        (None, ConfigMethod::InPlace(_)) => configuration.with_path(resolved),
        (None, _) => configuration,
    };
    let dump = config_dump::dump_file(&program, text.as_ref().map(|_| path.as_path())).map_err(|error| {
        InstallError::unsupported_node("containerd cannot load the configuration that it has already").cause(error)
    })?;
    let socket = dump.socket().unwrap_or(DEFAULT_SOCKET).into();
    Ok(Node {
        version,
        unit,
        socket,
        program,
        main: MainConfig { path, text },
        configuration,
        dump: Some(dump),
    })
}

/// The value of `--config` in the command line of the process. A relative path starts at its working directory.
fn config_path(process: &Path) -> Result<PathBuf, InstallError> {
    let command_line = host::read(&process.join("cmdline"))?.unwrap_or_default();
    let path = PathBuf::from(parse_config_flag(&command_line).unwrap_or(DEFAULT_CONFIG));
    if path.is_absolute() {
        Ok(path)
    } else {
        Ok(fs::read_link(process.join("cwd"))
            .map_err(InstallError::unsupported_node)?
            .join(path))
    }
}
