//! What a release owns, how it goes back, and what becomes of a deployment that is interrupted.

pub mod documents;
mod down;
mod history;
mod killed;
mod waves;

pub use documents::assert_follows;

use std::io::{BufRead, BufReader};
use std::process::Child;

use serde_json::{Value, json};

use crate::harness::{CommandOutput, Namespace, context, deploy_tool_command, kubectl, object};

const IMAGE: &str = "docker.io/library/mariadb:11.8";
/// Port 9 of the node itself (discard): refused at once, and nothing leaves the machine.
const NO_IMAGE: &str = "127.0.0.1:9/nobody/has-this:1";

/// A release in a namespace of its own, which goes with the value.
struct Release {
    namespace: Namespace,
    cache: tempfile::TempDir,
    folder: tempfile::TempDir,
}

impl Release {
    fn new(purpose: &str) -> Self {
        Self::in_namespace(Namespace::named(purpose))
    }

    fn in_namespace(namespace: Namespace) -> Self {
        Self {
            namespace,
            cache: tempfile::tempdir().unwrap(),
            folder: tempfile::tempdir().unwrap(),
        }
    }

    /// The same release, as somebody with another cache sees it.
    fn command(&self, cache: &tempfile::TempDir, verb: &[&str]) -> std::process::Command {
        self.command_in(&context(), cache, verb)
    }

    fn command_in(&self, context: &str, cache: &tempfile::TempDir, verb: &[&str]) -> std::process::Command {
        let folder = self.folder.path().to_str().unwrap();
        let mut arguments = verb.to_vec();
        arguments.extend(["--context", context, "--namespace", &self.namespace.name, "-f", folder]);
        let mut command = deploy_tool_command(&arguments);
        command.env("DEPLOY_TOOL_CACHE", cache.path());
        command
    }

    fn run(&self, verb: &[&str]) -> CommandOutput {
        let output = CommandOutput::from(self.command(&self.cache, verb).output().unwrap());
        println!("{verb:?}: {}\n{}", output.code, output.stderr.trim_end());
        output
    }

    /// Takes the place of the manifests: a Deployment, and ConfigMaps with a value each.
    fn write(&self, image: &str, command: &[&str], settings: &[(&str, &str)], more: &[Value]) {
        let container = json!({"name": "main", "image": image, "command": command});
        let mut items = vec![
            json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": self.namespace.name}}),
            json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": {
                "selector": {"matchLabels": {"app": "web"}},
                "template": {"metadata": {"labels": {"app": "web"}},
                    "spec": {"terminationGracePeriodSeconds": 0, "containers": [container]}}}}),
        ];
        items.extend(settings.iter().map(|(name, value)| {
            json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {"value": value}})
        }));
        items.extend(more.iter().cloned());
        self.write_objects(&items);
    }

    /// Takes the place of the manifests.
    fn write_objects(&self, items: &[Value]) {
        let list = json!({"apiVersion": "v1", "kind": "List", "items": items});
        std::fs::write(self.folder.path().join("objects.json"), list.to_string()).unwrap();
    }

    /// State and reason of each revision, the oldest first.
    fn history(&self) -> Vec<(String, String)> {
        let output = self.run(&["history", "--output", "json"]).success();
        let listing: Value = serde_json::from_str(&output.stdout).unwrap();
        let text = |revision: &Value, key: &str| revision[key].as_str().unwrap().to_owned();
        let revisions = listing["revisions"].as_array().unwrap().iter();
        revisions
            .map(|revision| {
                let message = text(revision, "message");
                let why = if message.is_empty() { "reason" } else { "message" };
                (text(revision, "state"), text(revision, why))
            })
            .collect()
    }

    fn exists(&self, name: &str) -> bool {
        let output = kubectl(&[
            "--namespace",
            &self.namespace.name,
            "get",
            name,
            "--ignore-not-found",
            "--output",
            "name",
        ]);
        !output.success().stdout.is_empty()
    }

    fn object(&self, name: &str) -> Value {
        object(&self.namespace.name, name)
    }

    fn kubectl(&self, arguments: &[&str]) {
        let mut all = vec!["--namespace", &self.namespace.name];
        all.extend(arguments);
        kubectl(&all).success();
    }
}

const SLEEP: [&str; 2] = ["sleep", "infinity"];

fn claim(name: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": name},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Mi"}}}})
}

fn deployed(reason: &str) -> (String, String) {
    ("deployed".to_owned(), reason.to_owned())
}

/// Reads events until one is as wanted, then kills the process as the kernel would.
fn kill_at(mut child: Child, what: &str, wanted: impl Fn(&Value) -> bool) {
    let mut lines = BufReader::new(child.stdout.take().unwrap())
        .lines()
        .map_while(Result::ok);
    let found = lines.any(|line| serde_json::from_str(&line).is_ok_and(|event| wanted(&event)));
    child.kill().unwrap();
    let status = child.wait().unwrap();
    assert!(found, "it ended without {what}: {status}");
    assert_eq!(status.code(), None, "killed, not ended");
    drop(lines);
}
