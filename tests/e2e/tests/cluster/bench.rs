//! `make bench`: every figure is there, and nothing is left behind.

use std::process::Command;

use serde_json::{Value, json};

use crate::harness::{CommandOutput, Namespace, Running, bench_command, cluster, context, eventually, kubectl};
use crate::release::assert_follows;

fn bench(arguments: &[&str]) -> CommandOutput {
    let command = bench_command().args(arguments).args(["--context", &context()]).output();
    CommandOutput::from(command.expect("the benchmark is built: cargo build --release --package bench"))
}

fn nothing_is_left(namespace: &Namespace) {
    eventually("the namespace is gone", || {
        (kubectl(&["get", "namespace", &namespace.name]).code != 0).then_some(())
    });
    for worker in ["worker", "worker2"] {
        let node = format!("{}-{worker}", cluster());
        let images = Command::new("docker")
            .args(["exec", &node, "ctr", "--namespace=k8s.io", "images", "list", "--quiet"])
            .output()
            .unwrap();
        let images = String::from_utf8(images.stdout).unwrap();
        assert!(images.contains("mariadb") && !images.contains("bench-"), "{images}");
    }
}

#[test]
#[ignore = "needs a cluster, see main.rs"]
fn every_figure_of_every_variant_is_there_and_a_page_and_nothing_is_left() {
    let (folder, namespace) = (tempfile::tempdir().unwrap(), Namespace::named("bench"));
    let [page, result] = ["bench.html", "bench.json"].map(|name| folder.path().join(name));
    let arguments = [
        "--quick",
        "--namespace",
        &namespace.name,
        "--page",
        page.to_str().unwrap(),
    ];
    let output = bench(&[&arguments[..], &["--json", result.to_str().unwrap()]].concat()).success();
    let report: Value = serde_json::from_str(&std::fs::read_to_string(result).unwrap()).unwrap();
    assert!(output.stdout.contains("interpreter"), "{}", output.stdout);
    assert_follows("bench", &report);

    let figures = report["figures"].as_array().unwrap();
    for contender in ["native", "elf", "aot", "interpreter"] {
        let own: Vec<&Value> = figures
            .iter()
            .filter(|figure| figure["contender"] == contender)
            .collect();
        // All but the time of a pull, for which there is no registry.
        assert_eq!(own.len(), 50, "{own:#?}");
        for figure in own {
            let is_count = figure["unit"] == "";
            let least = figure["spread"]["min"].as_f64().unwrap();
            assert!(is_count || least > 0.0, "{figure:#}");
        }
    }
    assert_eq!(report["skipped"].as_array().unwrap().len(), 1);
    assert!(report["machine"]["cores"].as_u64() > Some(0), "{}", report["machine"]);
    let page = std::fs::read_to_string(page).unwrap();
    assert!(page.matches("<svg").count() > 30 && page.contains("aot"));
    nothing_is_left(&namespace);
}

#[test]
#[ignore = "needs a cluster, see main.rs"]
fn a_run_that_is_stopped_leaves_nothing_behind() {
    let (context, namespace) = (context(), Namespace::named("bench"));
    let mut command = bench_command();
    command.args(["--quick", "--namespace", &namespace.name, "--context", &context]);
    let mut run = Running::start(command);
    run.past_builds("its namespace", || {
        kubectl(&["get", "namespace", &namespace.name]).code == 0
    });
    eventually("the database is being started", || {
        (kubectl(&["--namespace", &namespace.name, "get", "deployment", "mariadb"]).code == 0).then_some(())
    });
    assert_eq!(run.interrupt().code, 130);
    nothing_is_left(&namespace);
}

#[test]
#[ignore = "needs a cluster, see main.rs"]
fn what_cannot_be_measured_is_said_before_anything_is_made() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("reference.json");
    std::fs::write(&path, json!({"schema": "other"}).to_string()).unwrap();
    let path = path.to_str().unwrap();
    bench(&["--compare", path]).failure(1, &["is not a result of an earlier run"]);
    bench(&["--runtime-class", "none"]).failure(2, &["none"]);
    bench(&["--namespace", "default"]).failure(1, &["the namespace `default` is there already"]);
}
