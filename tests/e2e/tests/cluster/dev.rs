//! A change, served within seconds, and its native code later.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use serde_json::Value;

use super::new_project::Project;
use crate::harness::{CommandOutput, context, deploy_tool_command, eventually};

fn run(project: &Project, verb: &[&str]) -> CommandOutput {
    let start = Instant::now();
    let mut command = deploy_tool_command(verb);
    command.args(["--context", &context()]).current_dir(project.folder());
    let output = CommandOutput::from(command.output().unwrap());
    let seconds = start.elapsed().as_secs_f64();
    println!("{verb:?}: {} after {seconds:.1} s\n{}", output.code, output.stderr);
    output.success()
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
    let project = Project::of_library();
    let name = &project.name;
    let expected = |mode: &str| vec![(format!("Deployment/{name}").into(), mode.into())];

    let output = run(&project, &["up", "--dev", "--output", "json"]);
    assert_eq!(modes(&output), expected("interpreter"), "{}", output.stdout);
    project.serves(&format!("Hello from {name}"));
    let (process, _) = background(&output);
    let killed = Command::new("sh")
        .args(["-c", &format!("kill -9 {process}")])
        .status()
        .unwrap();
    assert!(killed.success(), "nothing was at work in the background");

    // What was killed is reported, and started again with the sources as they are.
    project.replace("src/service.rs", "Hello from", "Greetings from");
    let output = run(&project, &["up", "--dev", "--output", "json"]);
    assert!(
        output.stdout.contains("was not finished") && output.stdout.contains("it was killed"),
        "{}",
        output.stdout
    );
    assert_eq!(modes(&output), expected("interpreter"), "{}", output.stdout);
    project.serves(&format!("Greetings from {name}"));
    let (_, log) = background(&output);

    let output = run(&project, &["up", "--output", "json"]);
    assert!(!output.stdout.contains("was not finished"), "{}", output.stdout);
    assert_eq!(modes(&output), expected("aot"), "{}", output.stdout);
    project.serves(&format!("Greetings from {name}"));
    // Whoever of the two came first has compiled, the other one has waited.
    let log = eventually("the background is done", || {
        let log = fs::read_to_string(Path::new(&log)).unwrap();
        log.contains(&format!("localhost/{name}:sha256-")).then_some(log)
    });
    for (compiled, unchanged) in [
        (
            format!("Wasm module of {name}: compiled"),
            format!("Wasm module of {name}: unchanged"),
        ),
        (
            "compiled ahead of time to a shared object for WasmEdge 0.14.1 (".to_owned(),
            "compiled ahead of time to a shared object for WasmEdge 0.14.1: unchanged".to_owned(),
        ),
    ] {
        let outcomes = output.stdout.replace('"', " (");
        let times = [&log, &outcomes].map(|text| text.matches(&compiled).count());
        assert_eq!(times.iter().sum::<usize>(), 1, "{compiled}\n{log}\n{outcomes}");
        assert_eq!(
            [&log, &outcomes]
                .map(|text| text.matches(&unchanged).count())
                .iter()
                .sum::<usize>(),
            1
        );
    }
}
