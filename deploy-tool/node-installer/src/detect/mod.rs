//! Edge: finds the container runtime of the node and its configuration. [`crate::config_method`], [`crate::process`] and
//! [`crate::mounts`] decide what the files and outputs mean.

mod config_dump;
mod containerd;
mod crio;
mod links;
mod mount_options;
mod node;
mod runtime_process;

pub use node::Node;

use std::path::Path;

use crate::dump::Dump;
use crate::record::FOLDER;
use crate::report::InstallError;
use crate::{host, service};
use node_protocol::Runtime;
use node_protocol::number::HANDLER_TAKEN;

/// Inspects the node and checks every requirement of the engine; changes nothing. `recorded` is the path of the file with
/// the entry, where something is installed already.
///
/// # Errors
/// When the node does not meet a requirement: which.
pub fn inspect_node(runtime: Runtime, recorded: Option<&Path>) -> Result<Node, InstallError> {
    check_host()?;
    let node = match runtime {
        Runtime::Containerd => containerd::inspect(recorded)?,
        Runtime::Crio => crio::inspect()?,
    };
    if node.dump.as_ref().is_some_and(Dump::systemd_cgroup) {
        check_systemd_bus()?;
    }
    mount_options::check_mounts(&node)?;
    check_kill_mode(runtime, &node.unit)?;
    Ok(node)
}

fn check_host() -> Result<(), InstallError> {
    if !Path::new("/run/systemd/system").exists() {
        return Err(InstallError::unsupported_node(
            "it has no systemd, which restarts the container runtime",
        ));
    }
    let processors = host::read(Path::new("/proc/cpuinfo"))?.unwrap_or_default();
    if !processors.split_whitespace().any(|flag| flag == "avx2") {
        return Err(InstallError::unsupported_node(
            "its processor has no AVX2, for which services are compiled (x86-64-v3)",
        ));
    }
    Ok(())
}

/// With SystemdCgroup, crun asks systemd for the cgroup of each container, over D-Bus.
fn check_systemd_bus() -> Result<(), InstallError> {
    service::connect_any(&service::SYSTEMD).map_err(|refusals| {
        let error = InstallError::unsupported_node(
            "containerd leaves cgroups to systemd (SystemdCgroup), which the engine cannot ask here",
        );
        refusals
            .iter()
            .fold(error, InstallError::cause)
            .hint("start the system's D-Bus daemon on the node (`systemctl start dbus.socket`), which every container's start needs")
    })
}

/// containerd's shims run in the cgroup of its unit: with KillMode=control-group, a restart of the unit kills all pods.
fn check_kill_mode(runtime: Runtime, unit: &str) -> Result<(), InstallError> {
    let mode = service::read_kill_mode(unit)?;
    if runtime == Runtime::Containerd && !matches!(mode.as_str(), "process" | "mixed" | "none") {
        return Err(InstallError::unsupported_node(format!(
            "restarting {unit} would end its pods: its KillMode is {mode}",
        ))
        .hint("let the unit have KillMode=process, as containerd's own has"));
    }
    Ok(())
}

/// Refuses a handler whose name a runtime other than the engine has already.
///
/// # Errors
/// When the name is taken.
pub fn refuse_taken_handler(node: &Node, handler: &str) -> Result<(), InstallError> {
    let is_taken = match &node.dump {
        Some(dump) => {
            dump.has_handler(handler) && !dump.program(handler).is_some_and(|program| program.starts_with(FOLDER))
        }
        None => crio::has_handler(node.configuration.path(), handler)?,
    };
    if !is_taken {
        return Ok(());
    }
    Err(InstallError::new(
        HANDLER_TAKEN,
        format!("the node has a runtime of the name `{handler}` that is not ours"),
    )
    .hint("choose another name with --handler, and a RuntimeClass with that handler; or take that runtime away"))
}
