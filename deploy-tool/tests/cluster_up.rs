//! `deploy-tool cluster up` where it cannot go on: said before anything is made.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

/// An engine without containers, which makes nothing.
const DOCKER: &str = "#!/bin/sh\n[ \"$1\" = ps ] && exit 0\necho \"docker $*\" >&2\nexit 1\n";

#[test]
fn a_port_in_use_is_told_before_images_are_made() {
    let home = tempfile::tempdir().unwrap();
    let docker = home.path().join("docker");
    fs::write(&docker, DOCKER).unwrap();
    fs::set_permissions(&docker, fs::Permissions::from_mode(0o755)).unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let output = Command::new(env!("CARGO_BIN_EXE_deploy-tool"))
        .args(["cluster", "up", "--name", "x", "--http-port", &port])
        .current_dir(home.path())
        .env("PATH", home.path())
        .env("DEPLOY_TOOL_CACHE", home.path().join("cache"))
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains(&format!("port {port} of this host is in use")), "{said}");
    assert!(said.contains("--http-port") && !said.contains("image"), "{said}");
}
