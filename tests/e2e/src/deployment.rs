//! The project's own manifests in a namespace of a test's own.

use std::fs;
use std::time::{Duration, Instant};

use crate::{CommandOutput, Namespace, deploy_tool, deploy_tool_exactly, repository, tool_timeout};

/// A copy of `manifests/` in a namespace of its own, changed for one test. Deleting it deletes the namespace.
///
/// The events service is left out: the orders service does its work without it, and its pods would take the nodes' memory.
pub struct Deployment {
    /// The namespace of its objects.
    pub namespace: Namespace,
    folder: tempfile::TempDir,
}

impl Deployment {
    /// Copies the manifests; `change` gets each file's name and text and gives the new text, or nothing to leave it out.
    pub fn new(purpose: &str, change: impl Fn(&str, String) -> Option<String>) -> Self {
        let namespace = Namespace::named(purpose);
        let folder = tempfile::tempdir().unwrap();
        for entry in fs::read_dir(repository().join("manifests")).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            if !name.ends_with(".yaml") || name == "events.yaml" {
                continue;
            }
            if let Some(text) = change(&name, fs::read_to_string(&path).unwrap()) {
                fs::write(folder.path().join(name), moved(&text, &namespace.name)).unwrap();
            }
        }
        Self { namespace, folder }
    }

    /// The folder of the changed manifests.
    pub fn folder(&self) -> &str {
        self.folder.path().to_str().unwrap()
    }

    /// Deploys it, after a build; says also how long that took without the build.
    pub fn up(&self) -> (CommandOutput, Duration) {
        deploy_tool_exactly(&["build"]).success();
        let start = Instant::now();
        let output = deploy_tool(&[
            "up",
            "--manifests",
            self.folder(),
            "--timeout",
            &tool_timeout(),
            "--fail-fast",
        ]);
        (output, start.elapsed())
    }
}

/// The same manifests for another namespace, with a port of the nodes that the cluster picks.
fn moved(text: &str, namespace: &str) -> String {
    text.replace("namespace: orders", &format!("namespace: {namespace}"))
        .replace(
            "kind: Namespace\nmetadata:\n  name: orders",
            &format!("kind: Namespace\nmetadata:\n  name: {namespace}"),
        )
        .replace(".orders.svc", &format!(".{namespace}.svc"))
        .lines()
        .filter(|line| !line.trim_start().starts_with("nodePort:"))
        .map(|line| format!("{line}\n"))
        .collect()
}
