//! What the tests run against: the cluster and the service by their variables, images and versions by oci/versions.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::CommandOutput;

/// Name of the kind cluster under test.
pub fn cluster() -> String {
    std::env::var("TEST_CLUSTER").expect("TEST_CLUSTER names the kind cluster under test, see tests/cluster/main.rs")
}

/// Its context in the kubeconfig.
pub fn context() -> String {
    format!("kind-{}", cluster())
}

/// Address of the service on this host.
pub fn url(path: &str) -> String {
    let base = std::env::var("TEST_URL").expect("TEST_URL is the service's address on this host");
    format!("{base}{path}")
}

/// The checkout.
pub fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .nth(2)
        .unwrap()
        .to_path_buf()
}

/// An image of `scripts/images` that carries the version of Kubernetes, which KUBERNETES names there and here:
/// `wasm-node`, `wasm-node-both`, `wasm-node-plain`.
pub fn node_image(name: &str) -> String {
    let named = std::env::var("KUBERNETES").ok().filter(|version| !version.is_empty());
    let kubernetes = named.unwrap_or_else(|| {
        let version = pinned("kubernetes_version");
        let (minor, _patch) = version.trim_start_matches('v').rsplit_once('.').unwrap();
        minor.to_owned()
    });
    format!("localhost/{name}:v{kubernetes}")
}

/// An image that a node has and that runs until it is ended: the one with which containerd keeps pods open, by its own
/// configuration (`sandbox` of containerd 2, `sandbox_image` of containerd 1).
pub fn pause_image(node: &str) -> String {
    let dump = Command::new("docker")
        .args(["exec", node, "containerd", "config", "dump"])
        .output();
    let dump = CommandOutput::from(dump.unwrap()).success().stdout;
    let image = dump.lines().find_map(|line| {
        let (key, value) = line.trim().split_once(" = ")?;
        let value = value.trim_matches(['\'', '"']);
        (["sandbox", "sandbox_image"].contains(&key) && value.contains('/')).then_some(value)
    });
    image
        .unwrap_or_else(|| panic!("{node}: containerd's configuration names no sandbox image"))
        .to_owned()
}

/// A value of oci/versions.
pub fn pinned(name: &str) -> String {
    let versions = fs::read_to_string(repository().join("oci/versions")).unwrap();
    let line = versions.lines().find_map(|line| line.strip_prefix(&format!("{name}=")));
    line.unwrap_or_else(|| panic!("oci/versions has no {name}")).to_owned()
}
