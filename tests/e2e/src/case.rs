//! What many tests deploy: a few objects in a namespace of their own.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::{CommandOutput, Namespace, context, deploy_tool_command, kubectl, kubectl_with_input};

/// A namespace of its own and a folder of manifests.
pub struct Case {
    /// The namespace.
    pub namespace: Namespace,
    /// The folder.
    pub folder: tempfile::TempDir,
}

impl Case {
    /// With these manifests; the namespace is one of them.
    pub fn new(purpose: &str, objects: &[Value]) -> Self {
        let case = Self {
            namespace: Namespace::named(purpose),
            folder: tempfile::tempdir().unwrap(),
        };
        case.write(objects);
        case
    }

    /// Takes the place of the manifests.
    pub fn write(&self, objects: &[Value]) {
        let place = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": self.namespace.name}});
        let items: Vec<&Value> = [&place].into_iter().chain(objects).collect();
        let list = json!({"apiVersion": "v1", "kind": "List", "items": items});
        std::fs::write(self.folder.path().join("objects.json"), list.to_string()).unwrap();
    }

    /// Runs the tool; what acts on manifests gets the folder.
    pub fn run(&self, verb: &[&str]) -> CommandOutput {
        let (context, folder) = (context(), self.folder.path().to_str().unwrap());
        let mut arguments = verb.to_vec();
        arguments.extend(["--context", &context, "--namespace", &self.namespace.name]);
        if matches!(verb[0], "apply" | "plan") {
            arguments.extend(["-f", folder]);
        }
        let start = Instant::now();
        let output = CommandOutput::from(deploy_tool_command(&arguments).output().unwrap());
        println!(
            "{} {verb:?}: {} after {:.1} s\n{}",
            self.namespace.name,
            output.code,
            start.elapsed().as_secs_f32(),
            output.stderr.trim_end()
        );
        output
    }

    /// The same, with how long it took.
    pub fn timed(&self, verb: &[&str]) -> (CommandOutput, Duration) {
        let start = Instant::now();
        (self.run(verb), start.elapsed())
    }

    /// Makes objects as somebody else would, in the namespace.
    #[track_caller]
    pub fn create(&self, objects: &[Value]) {
        let list = json!({"apiVersion": "v1", "kind": "List", "items": objects});
        kubectl_with_input(
            &["--namespace", &self.namespace.name, "create", "-f", "-"],
            &list.to_string(),
        )
        .success();
    }

    /// Runs kubectl in the namespace.
    pub fn kubectl(&self, arguments: &[&str]) -> CommandOutput {
        kubectl(&[&["--namespace", &self.namespace.name], arguments].concat())
    }
}
