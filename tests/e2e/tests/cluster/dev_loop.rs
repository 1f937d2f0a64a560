//! `deploy-tool dev` as a program meets it: what is saved is served, what does not compile is told, Ctrl-C leaves what runs.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::new_project::Project;
use super::release::documents::assert_follows;
use crate::harness::{CommandOutput, context, deploy_tool_command, eventually, kubectl, kubectl_with_input};

/// A run of `dev`, and its events so far.
struct Dev {
    process: Child,
    events: Arc<Mutex<Vec<Value>>>,
    url: String,
}

impl Dev {
    fn start(project: &Project, arguments: &[&str]) -> Self {
        let mut command = deploy_tool_command(&["dev", "--output", "json", "--context", &context()]);
        command
            .args(arguments)
            .current_dir(project.folder())
            .stdout(Stdio::piped());
        let mut process = command.spawn().unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let events: Arc<Mutex<Vec<Value>>> = Arc::default();
        let seen = Arc::clone(&events);
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                seen.lock().unwrap().push(serde_json::from_str(&line).unwrap());
            }
        });
        let mut dev = Self {
            process,
            events,
            url: String::new(),
        };
        dev.url = eventually("the address is told", || {
            let first = dev.find(|event| event["type"] == "message")?;
            let (_, rest) = first["text"].as_str()?.split_once("http://")?;
            Some(format!("http://{}/", rest.split(';').next()?))
        });
        dev
    }

    fn find(&self, is_it: impl Fn(&Value) -> bool) -> Option<Value> {
        self.events.lock().unwrap().iter().find(|event| is_it(event)).cloned()
    }

    /// The first end of a deployment after some others, whatever it is but superseded.
    fn ended(&mut self, after: u64) -> Value {
        self.past_builds("the end of a deployment", |dev| {
            dev.find(|event| {
                let is_end = event["state"] == "deployed" || event["state"] == "failed";
                event["type"] == "cycle" && is_end && event["cycle"].as_u64().unwrap() > after
            })
        })
    }

    /// Waits for what comes of a build, however long that takes: there is no limit, but the end of the run.
    fn past_builds<T>(&mut self, what: &str, condition: impl Fn(&Self) -> Option<T>) -> T {
        loop {
            if let Some(found) = condition(self) {
                return found;
            }
            if let Some(status) = self.process.try_wait().unwrap() {
                panic!(
                    "it has ended without {what}: {status}\n{:#?}",
                    self.events.lock().unwrap()
                );
            }
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    fn answer(&self) -> Option<String> {
        let response = get(&self.url)?;
        Some(response.trim().to_owned())
    }

    fn serves(&mut self, text: &str) -> Duration {
        let start = Instant::now();
        self.past_builds(text, |dev| (dev.answer()? == text).then_some(()));
        start.elapsed()
    }

    /// Stops it as Ctrl-C does. Returns the exit code.
    fn stop(mut self) -> i32 {
        let id = self.process.id().to_string();
        let killed = std::process::Command::new("kill").args(["-INT", &id]).status().unwrap();
        assert!(killed.success());
        self.process.wait().unwrap().code().unwrap()
    }
}

impl Drop for Dev {
    fn drop(&mut self) {
        // It has ended where the test went well.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn get(url: &str) -> Option<String> {
    let mut curl = std::process::Command::new("curl");
    curl.args(["--silent", "--fail", "--max-time", "10", url]);
    let output = CommandOutput::from(curl.output().unwrap());
    (output.code == 0).then_some(output.stdout)
}

/// Asks again and again until its value is dropped; counts the answers, and those that were none.
struct Clients {
    stop: Arc<AtomicBool>,
    answers: Arc<AtomicUsize>,
    failures: Arc<AtomicUsize>,
    thread: Option<JoinHandle<()>>,
}

impl Clients {
    fn start(url: &str) -> Self {
        let (stop, answers, failures): (Arc<AtomicBool>, Arc<AtomicUsize>, Arc<AtomicUsize>) = Default::default();
        let (url, stopped, answered, failed) = (url.to_owned(), stop.clone(), answers.clone(), failures.clone());
        let thread = std::thread::spawn(move || {
            while !stopped.load(Ordering::SeqCst) {
                let count = match get(&url) {
                    Some(_) => &answered,
                    None => &failed,
                };
                count.fetch_add(1, Ordering::SeqCst);
            }
        });
        Self {
            stop,
            answers,
            failures,
            thread: Some(thread),
        }
    }

    /// The answers, and the requests without one.
    fn stop(mut self) -> (usize, usize) {
        self.stop.store(true, Ordering::SeqCst);
        self.thread.take().unwrap().join().unwrap();
        (
            self.answers.load(Ordering::SeqCst),
            self.failures.load(Ordering::SeqCst),
        )
    }
}

struct Source {
    path: PathBuf,
    text: String,
}

impl Source {
    fn new(project: &Project) -> Self {
        let path = project.folder().join("src/service.rs");
        let text = fs::read_to_string(&path).unwrap();
        Self { path, text }
    }

    /// Saves it with another greeting.
    fn save(&self, greeting: &str) {
        fs::write(&self.path, self.text.replace("Hello from", greeting)).unwrap();
    }
}

/// A pod of nobody's release in the project's namespace, which writes a line a second.
fn start_neighbour(project: &Project) {
    let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": NEIGHBOUR, "namespace": project.name}, "spec": {
        "terminationGracePeriodSeconds": 0,
        "securityContext": {"runAsNonRoot": true, "runAsUser": 999, "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [{"name": "main", "image": "docker.io/library/mariadb:11.8", "imagePullPolicy": "Never",
            "command": ["sh", "-c", "while sleep 1; do echo of a neighbour; done"],
            "securityContext": {"allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"]}}}]}});
    kubectl_with_input(&["create", "--filename", "-"], &pod.to_string()).success();
    eventually("the neighbour writes", || {
        let output = kubectl(&["logs", NEIGHBOUR, "-n", &project.name]);
        output.stdout.contains("of a neighbour").then_some(())
    });
}

const NEIGHBOUR: &str = "neighbour";

#[test]
#[ignore = "needs a cluster, see main.rs"]
fn what_is_saved_is_served_and_what_does_not_compile_is_told() {
    let project = Project::new();
    let source = Source::new(&project);
    let mut dev = Dev::start(&project, &[]);
    let first = dev.ended(0);
    assert_eq!(first["state"], "deployed", "{first:#}");
    dev.serves(&format!("Hello from {}", project.name));

    start_neighbour(&project);
    source.save("Welcome to");
    let time = dev.serves(&format!("Welcome to {}", project.name));
    println!("from saving a file to its answer: {:.1} s", time.as_secs_f64());
    let second = dev.ended(1);
    assert_eq!(second["changed"], serde_json::json!(["src/service.rs"]), "{second:#}");

    // What does not compile is told, and no request goes without an answer meanwhile.
    let clients = Clients::start(&dev.url);
    fs::write(
        &source.path,
        format!("{}\nfn wrong() -> u8 {{ \"text\" }}\n", source.text),
    )
    .unwrap();
    let number = second["cycle"].as_u64().unwrap();
    let failed = dev.ended(number);
    let message = failed["failure"].as_str().unwrap_or_default();
    assert!(
        failed["state"] == "failed" && message.contains("src/service.rs:") && message.contains("error[E0308]"),
        "{failed:#}"
    );
    // The compiler's words, and not how it was started.
    assert!(!message.contains("docker"), "{message}");
    let (answers, failures) = clients.stop();
    assert!(answers > 0 && failures == 0, "{answers} answers, {failures} failures");
    assert_eq!(dev.answer().unwrap(), format!("Welcome to {}", project.name));

    // The same contents with another time are no change: the next one is the next deployment.
    let number = failed["cycle"].as_u64().unwrap();
    source.save("Farewell from");
    dev.serves(&format!("Farewell from {}", project.name));
    let last = dev.ended(number);
    source.save("Farewell from");
    source.save("Hello from");
    dev.serves(&format!("Hello from {}", project.name));
    let after = dev.ended(last["cycle"].as_u64().unwrap());
    assert_eq!(
        after["cycle"].as_u64(),
        last["cycle"].as_u64().map(|number| number + 1),
        "{after:#}"
    );
    assert!(
        dev.find(|event| event["type"] == "log" && event["line"].as_str().unwrap().contains("listening"))
            .is_some(),
        "no line of a pod"
    );
    let of_neighbour = dev.find(|event| event["type"] == "log" && event["pod"] == NEIGHBOUR);
    assert_eq!(of_neighbour, None);
    for event in dev.events.lock().unwrap().iter() {
        assert_follows("event", event);
    }

    assert_eq!(dev.stop(), 130);
    let left = kubectl(&["get", "deployment", &project.name, "-n", &project.name, "-o", "name"]);
    assert!(left.success().stdout.contains(&project.name));
    let mut command = deploy_tool_command(&["dev", "--once", "--remove", "--context", &context()]);
    CommandOutput::from(command.current_dir(project.folder()).output().unwrap()).success();
    let left = kubectl(&["get", "deployment", "-n", &project.name, "--output", "name"]);
    assert_eq!(left.success().stdout, "");
}

#[test]
fn a_cluster_that_is_not_for_this_is_refused() {
    let project = Project::new();
    let mut command = deploy_tool_command(&["dev", "--context", "production"]);
    let output = CommandOutput::from(command.current_dir(project.folder()).output().unwrap());
    output.failure(1, &["`dev` does not act on context `production`", "--registry"]);
}
