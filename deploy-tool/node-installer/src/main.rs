//! `node-installer VERB --runtime containerd|cri-o --handler NAME`, in a pod that has the node's root folder at /host.

use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    node_installer::main(&arguments)
}
