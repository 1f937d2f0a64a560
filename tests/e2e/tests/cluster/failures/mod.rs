//! One deliberate failure of each kind: `up --fail-fast` gives up by itself, with a non-zero exit and a number, and says
//! why. What it does without that option, for the same and for what comes up in the end, is in `verdicts`.
//!
//! `services` breaks the project's own manifests, each in a namespace of its own. The others are small Deployments and
//! the like, a few at a time in one namespace: there is one for each number that a cluster of kind can be made to give.

mod containers;
mod images;
mod objects;
mod pods;
mod registry;
mod services;

use std::process::Command;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use crate::harness::{
    CommandOutput, Namespace, context, deploy_tool_command, kubectl, kubectl_with_input, scaled, time_limit,
    tool_timeout,
};

/// From the cluster's own event to the message, where no threshold lies between. Ordinarily a second or two; this much
/// on a machine that runs everything else as well.
const PROMPT: Duration = Duration::from_secs(30);
/// The exit code of a deployment that failed in the cluster.
const FAILED: i32 = 2;
/// How many deployments run at a time.
const AT_A_TIME: usize = 4;
/// An image that every node has, with a shell.
const IMAGE: &str = "docker.io/library/mariadb:11.8";

/// Something that cannot come up, and what is to be said about it.
struct Provocation {
    name: &'static str,
    code: &'static str,
    sentences: &'static [&'static str],
    objects: Vec<Value>,
    /// The reason of the event after which the message has to come promptly; none where a threshold lies between.
    event: Option<&'static str>,
}

/// A Deployment of one container: `container` and `pod` are merged over the defaults.
fn deployment(name: &str, container: Value, pod: Value) -> Value {
    let mut main = json!({"name": "main", "image": IMAGE, "command": ["sleep", "infinity"]});
    merge(&mut main, container);
    let mut template = json!({"metadata": {"labels": {"app": name}},
        "spec": {"containers": [main], "terminationGracePeriodSeconds": 0}});
    merge(&mut template, pod);
    json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name},
        "spec": {"selector": {"matchLabels": {"app": name}}, "template": template}})
}

fn merge(into: &mut Value, from: Value) {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            for (key, value) in from {
                merge(into.entry(key).or_insert(Value::Null), value);
            }
        }
        (into, from) => *into = from,
    }
}

/// Deploys them, a few at a time, each as a release of its own, and compares what is said.
fn fail_early(namespace: &str, labels: &[(&str, &str)], provocations: Vec<Provocation>) {
    fail_early_in(&Namespace::create(namespace, labels).name, provocations);
}

/// The same in a namespace that is there.
fn fail_early_in(namespace: &str, provocations: Vec<Provocation>) {
    for some in provocations.chunks(AT_A_TIME) {
        std::thread::scope(|scope| {
            let runs: Vec<_> = some
                .iter()
                .map(|provocation| scope.spawn(|| check(namespace, provocation)))
                .collect();
            let failed: Vec<_> = runs.into_iter().filter_map(|run| run.join().err()).collect();
            if let Some(panic) = failed.into_iter().next() {
                std::panic::resume_unwind(panic);
            }
        });
    }
}

fn check(namespace: &str, provocation: &Provocation) {
    let name = provocation.name;
    let folder = tempfile::tempdir().unwrap();
    let list = json!({"apiVersion": "v1", "kind": "List", "items": provocation.objects});
    std::fs::write(folder.path().join("objects.json"), list.to_string()).unwrap();
    let (start, context, timeout) = (now(), context(), tool_timeout());
    let output = deploy_tool_command(&[
        "up",
        "--context",
        &context,
        "--namespace",
        namespace,
        "--release",
        name,
        "--fail-fast",
        "--timeout",
        &timeout,
        "--manifests",
    ])
    .arg(folder.path())
    .output()
    .expect("deploy-tool is built: cargo build --release");
    let end = now();
    let output = CommandOutput::from(output);
    println!("{name} after {:.1} s: {}", end - start, output.stderr.trim_end());
    let number = format!("error {}:", provocation.code);
    let mut sentences = vec![number.as_str(), "next: "];
    sentences.extend(provocation.sentences);
    output.failure(FAILED, &sentences);
    assert!(
        end - start < time_limit().as_secs_f64(),
        "it took {:.1} s to say so",
        end - start
    );
    if let Some(reason) = provocation.event {
        let event = first_event(namespace, name, reason);
        println!(
            "{} {name}: {:.1} s after the event {reason}",
            provocation.code,
            end - event
        );
        assert!(
            end - event < scaled(PROMPT).as_secs_f64(),
            "{name}: {:.1} s after the event",
            end - event
        );
    }
    for object in &provocation.objects {
        let kind = object["kind"].as_str().unwrap();
        let object = object["metadata"]["name"].as_str().unwrap();
        kubectl(&[
            "--namespace",
            namespace,
            "delete",
            kind,
            object,
            "--wait=false",
            "--ignore-not-found",
        ]);
    }
}

/// When the first event of a reason about an object of that name was, in seconds. Kubernetes tells whole seconds.
#[track_caller]
fn first_event(namespace: &str, name: &str, reason: &str) -> f64 {
    let selector = format!("reason={reason}");
    let output = kubectl(&[
        "--namespace",
        namespace,
        "get",
        "events",
        "--field-selector",
        &selector,
        "--output",
        "json",
    ]);
    let list: Value = serde_json::from_str(&output.success().stdout).unwrap();
    let about = |event: &&Value| {
        event["involvedObject"]["name"]
            .as_str()
            .is_some_and(|about| about == name || about.starts_with(&format!("{name}-")))
    };
    let times = list["items"].as_array().unwrap().iter().filter(about).map(|event| {
        let time = event["firstTimestamp"]
            .as_str()
            .or(event["eventTime"].as_str())
            .unwrap();
        // Seconds since 1970, as `date` reads it.
        let date = Command::new("date").args(["--date", time, "+%s.%N"]).output().unwrap();
        String::from_utf8_lossy(&date.stdout).trim().parse::<f64>().unwrap()
    });
    let first = times.fold(f64::INFINITY, f64::min);
    assert!(first.is_finite(), "no event {reason} about {name}");
    first
}

fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs_f64()
}

/// Makes an object beforehand.
fn create(object: &Value) {
    kubectl_with_input(&["create", "--filename", "-"], &object.to_string()).success();
}

/// An object without a namespace that is deleted at the end.
struct Deleted(&'static str, String);

impl Drop for Deleted {
    fn drop(&mut self) {
        kubectl(&["delete", self.0, &self.1, "--ignore-not-found", "--wait=false"]);
    }
}
