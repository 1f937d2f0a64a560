//! A change, served within seconds, and its native code later.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Instant, SystemTime};

use serde_json::Value;

use crate::harness::{CommandOutput, Deployment, context, copy_sources, deploy_tool_command, eventually, kubectl};

/// A copy of the checkout that is edited, and deployed to a namespace of its own.
struct Checkout {
    folder: tempfile::TempDir,
    deployment: Deployment,
    /// No other run has edited anything like this.
    run: u128,
}

impl Checkout {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        copy_sources(folder.path());
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
        Self {
            folder,
            deployment: Deployment::new("dev-loop", |_, text| Some(text)),
            run: since.as_nanos(),
        }
    }

    /// Changes one line. Returns what is served from then on.
    fn edit(&self, number: u32) -> String {
        let line = format!("// edit {number} of {}", self.run);
        let path = self.folder.path().join("app/page/files/page.js");
        let text = fs::read_to_string(&path).unwrap();
        let others = text.lines().filter(|line| !line.starts_with("// edit "));
        let lines: Vec<&str> = [line.as_str()].into_iter().chain(others).collect();
        fs::write(path, lines.join("\n")).unwrap();
        line
    }

    fn serves(&self, line: &str) {
        let namespace = &self.deployment.namespace.name;
        let path = format!("/api/v1/namespaces/{namespace}/services/app:http/proxy/page.js");
        // The pod that is replaced serves on for a moment.
        eventually("the change is served and nothing else", || {
            let output = kubectl(&["get", "--raw", &path]);
            output.stdout.starts_with(line).then_some(())
        });
    }

    fn run(&self, verb: &[&str]) -> CommandOutput {
        let start = Instant::now();
        let mut command = deploy_tool_command(verb);
        command.args(["--context", &context(), "--manifests", self.deployment.folder()]);
        let output = CommandOutput::from(command.current_dir(self.folder.path()).output().unwrap());
        let seconds = start.elapsed().as_secs_f64();
        println!("{verb:?}: {} after {seconds:.1} s\n{}", output.code, output.stderr);
        output.success()
    }
}

fn modes(output: &CommandOutput) -> Vec<(Value, Value)> {
    let last = output.stdout.lines().last().unwrap();
    let status: Value = serde_json::from_str(last).unwrap();
    let pods = status["data"]["pods"].as_array().unwrap().iter();
    let wasm = pods.filter(|pod| pod["runtimeClass"].is_string() && pod["state"] == "Running");
    wasm.map(|pod| (pod["workload"].clone(), pod["mode"].clone())).collect()
}

/// Process and log of what is compiled in the background.
fn background(output: &CommandOutput) -> (String, String) {
    let (_, rest) = output
        .stdout
        .split_once("in the background, for the next `up` (process ")
        .unwrap();
    let (process, rest) = rest.split_once(", ").unwrap();
    let (log, _) = rest.split_once(')').unwrap();
    (process.to_owned(), log.to_owned())
}

#[test]
#[ignore = "needs a cluster, see main.rs"]
fn a_change_is_served_interpreted_at_once_and_compiled_ahead_of_time_once() {
    let checkout = Checkout::new();
    let expected = |mode: &str| vec![("Deployment/app".into(), mode.into())];

    let line = checkout.edit(1);
    let output = checkout.run(&["up", "--dev", "--output", "json"]);
    assert_eq!(modes(&output), expected("interpreter"), "{}", output.stdout);
    checkout.serves(&line);
    let (process, _) = background(&output);
    let killed = Command::new("sh")
        .args(["-c", &format!("kill -9 {process}")])
        .status()
        .unwrap();
    assert!(killed.success(), "nothing was at work in the background");

    // What was killed is reported, and started again with the sources as they are.
    let line = checkout.edit(2);
    let output = checkout.run(&["up", "--dev", "--output", "json"]);
    assert!(
        output.stdout.contains("was not finished") && output.stdout.contains("it was killed"),
        "{}",
        output.stdout
    );
    assert_eq!(modes(&output), expected("interpreter"), "{}", output.stdout);
    checkout.serves(&line);
    let (_, log) = background(&output);

    let output = checkout.run(&["up", "--output", "json"]);
    assert!(!output.stdout.contains("was not finished"), "{}", output.stdout);
    assert_eq!(modes(&output), expected("aot"), "{}", output.stdout);
    checkout.serves(&line);
    // Whoever of the two came first has compiled, the other one has waited.
    let log = eventually("the background is done", || {
        let log = fs::read_to_string(Path::new(&log)).unwrap();
        log.contains("localhost/orders:sha256-").then_some(log)
    });
    for (compiled, unchanged) in [
        ("Wasm module of app: compiled", "Wasm module of app: unchanged"),
        (
            "compiled ahead of time to a shared object for WasmEdge 0.14.1 (",
            "compiled ahead of time to a shared object for WasmEdge 0.14.1: unchanged",
        ),
    ] {
        let outcomes = output.stdout.replace('"', " (");
        let times = [&log, &outcomes].map(|text| text.matches(compiled).count());
        assert_eq!(times.iter().sum::<usize>(), 1, "{compiled}\n{log}\n{outcomes}");
        assert_eq!(
            [&log, &outcomes]
                .map(|text| text.matches(unchanged).count())
                .iter()
                .sum::<usize>(),
            1
        );
    }
}
