//! A release that comes up is never failed, and one that does not stay up is never called ready: what `apply` says without
//! `--fail-fast`, of what a cluster really does.

mod comes_up;
mod jobs;
mod not_ready;
mod notes;

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::harness::{Namespace, Said, context, deploy_tool_command, kubectl};

/// An image that every node has, with a shell.
const IMAGE: &str = "docker.io/library/mariadb:11.8";
/// The exit code of a deployment that failed in the cluster.
const FAILED: i32 = 2;
/// The exit code of one that is not decided.
const UNDECIDED: i32 = 5;

/// A namespace of its own and a folder of manifests.
struct Case {
    namespace: Namespace,
    folder: tempfile::TempDir,
}

impl Case {
    fn new(purpose: &str, objects: &[Value]) -> Self {
        let case = Self {
            namespace: Namespace::named(purpose),
            folder: tempfile::tempdir().unwrap(),
        };
        case.write(objects);
        case
    }

    /// Takes the place of the manifests.
    fn write(&self, objects: &[Value]) {
        let place = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": self.namespace.name}});
        let items: Vec<&Value> = [&place].into_iter().chain(objects).collect();
        let list = json!({"apiVersion": "v1", "kind": "List", "items": items});
        std::fs::write(self.folder.path().join("objects.json"), list.to_string()).unwrap();
    }

    fn run(&self, verb: &[&str]) -> Said {
        let (context, folder) = (context(), self.folder.path().to_str().unwrap());
        let mut arguments = verb.to_vec();
        arguments.extend(["--context", &context, "--namespace", &self.namespace.name, "-f", folder]);
        let start = Instant::now();
        let said = Said::from(deploy_tool_command(&arguments).output().unwrap());
        println!(
            "{} {verb:?}: {} after {:.1} s\n{}",
            self.namespace.name,
            said.code,
            start.elapsed().as_secs_f32(),
            said.stderr.trim_end()
        );
        said
    }

    fn timed(&self, verb: &[&str]) -> (Said, Duration) {
        let start = Instant::now();
        (self.run(verb), start.elapsed())
    }

    fn kubectl(&self, arguments: &[&str]) -> Said {
        kubectl(&[&["--namespace", &self.namespace.name], arguments].concat())
    }
}

/// A Deployment of one container, to which `container` is added; `volumes` are its pod's.
fn deployment(name: &str, replicas: u32, container: Value, volumes: Value) -> Value {
    let mut one = json!({"name": "main", "image": IMAGE, "command": ["sleep", "infinity"]});
    for (field, value) in container.as_object().unwrap() {
        one[field] = value.clone();
    }
    json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name}, "spec": {"replicas": replicas,
        "selector": {"matchLabels": {"app": name}}, "template": {"metadata": {"labels": {"app": name}},
            "spec": {"terminationGracePeriodSeconds": 0, "containers": [one], "volumes": volumes}}}})
}

fn shell(script: &str) -> Value {
    json!({"command": ["bash", "-c", script]})
}

fn job(name: &str, spec: Value, script: &str) -> Value {
    let mut job = json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name}, "spec": {"backoffLimit": 0,
        "template": {"spec": {"restartPolicy": "Never", "terminationGracePeriodSeconds": 0, "containers": [
            {"name": "main", "image": IMAGE, "command": ["bash", "-c", script]}]}}}});
    for (field, value) in spec.as_object().unwrap() {
        job["spec"][field] = value.clone();
    }
    job
}
