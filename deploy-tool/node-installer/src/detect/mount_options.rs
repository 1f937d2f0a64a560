//! Checks that the folder of the engine is on a mount that is writable and not noexec, and the file of the entry on one
//! that is writable.

use std::path::Path;

use super::links::resolve_path;
use super::node::Node;
use crate::host;
use crate::mounts::find_option;
use crate::record::FOLDER;
use crate::report::InstallError;

pub(super) fn check_mounts(node: &Node) -> Result<(), InstallError> {
    // Process 1 has the node's own mounts; the pod of a `check` has the node's root folder mounted read-only.
    let mounts = host::read(Path::new("/proc/1/mountinfo"))?.unwrap_or_default();
    let requirements: [(&Path, &[&str]); 2] = [
        (Path::new(FOLDER), &["ro", "noexec"]),
        (node.configuration.path(), &["ro"]),
    ];
    for (path, forbidden) in requirements {
        let resolved = resolve_path(path)?;
        match find_option(&mounts, &resolved.display().to_string(), forbidden) {
            None => {}
            Some("noexec") => {
                return Err(InstallError::unsupported_node(format!(
                    "{} is on a file system that is mounted noexec: no program runs there",
                    path.display()
                ))
                .hint("mount it with exec, or mount a folder with exec there"));
            }
            Some(_) => {
                return Err(InstallError::unsupported_node(format!(
                    "{} is on a file system that is mounted read-only",
                    path.display()
                ))
                .hint("on an operating system like this, the engine must be part of the node's image"));
            }
        }
    }
    Ok(())
}
