//! A project of `deploy-tool new`, as somebody has it who knows only the program: in a folder of its own, from its tests to a
//! service in the cluster, changed, scaled, brought back and removed.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

use super::release::documents::assert_follows;
use crate::harness::{Said, cluster, context, deploy_tool_command, eventually, kubectl, unique};

/// In a folder that ends with its value.
pub struct Project {
    home: tempfile::TempDir,
    /// Of the package, the namespace and the objects.
    pub name: String,
}

impl Project {
    /// Of `deploy-tool new`.
    pub fn new() -> Self {
        let project = Self {
            home: tempfile::tempdir().unwrap(),
            name: unique("shop"),
        };
        let mut command = deploy_tool_command(&["new", &project.name, "--output", "json"]);
        let said = Said::from(command.current_dir(project.home.path()).output().unwrap()).success();
        let report: Value = serde_json::from_str(&said.stdout).unwrap();
        assert_follows("new", &report);
        assert_eq!(
            (&report["name"], &report["repository"]),
            (&Value::from(&*project.name), &Value::from(true))
        );
        project
    }

    /// Its folder.
    pub fn folder(&self) -> PathBuf {
        self.home.path().join(&self.name)
    }

    fn run(&self, verb: &[&str]) -> Said {
        let mut command = deploy_tool_command(verb);
        command.args(["--context", &context()]).current_dir(self.folder());
        Said::from(command.output().unwrap()).success()
    }

    /// `seconds` of each of a hundred requests on one connection, in ascending order, and the answer, as a node has them.
    fn ask(&self) -> (Vec<f64>, String) {
        let address = kubectl(&[
            "get",
            "service",
            &self.name,
            "-n",
            &self.name,
            "-o",
            "jsonpath={.spec.clusterIP}",
        ]);
        let address = address.success().stdout;
        let curl = |arguments: &[&str]| {
            let node = format!("{}-control-plane", cluster());
            let mut command = Command::new("docker");
            command
                .args(["exec", &node, "curl", "--silent", "--show-error", "--fail"])
                .args(arguments);
            Said::from(command.output().unwrap())
        };
        let answer = eventually("the Service answers", || {
            let said = curl(&[&format!("http://{address}/")]);
            (said.code == 0).then_some(said.stdout)
        });
        let said = curl(&[
            "--output",
            "/dev/null",
            "--write-out",
            "%{time_total}\n",
            &format!("http://{address}/?[1-100]"),
        ]);
        let mut seconds: Vec<f64> = said
            .success()
            .stdout
            .lines()
            .map(|line| line.parse().unwrap())
            .collect();
        seconds.sort_by(f64::total_cmp);
        (seconds, answer)
    }

    fn serves(&self, text: &str) {
        eventually(text, || (self.ask().1.trim() == text).then_some(()));
    }
}

impl Drop for Project {
    fn drop(&mut self) {
        // A test that failed leaves nothing either.
        let delete = |kind: &str| kubectl(&["delete", kind, &self.name, "--ignore-not-found", "--wait=false"]);
        delete("namespace");
        delete("runtimeclass");
    }
}

#[test]
#[ignore = "needs a cluster, see main.rs"]
fn a_new_project_is_tested_deployed_changed_scaled_brought_back_and_removed() {
    let project = Project::new();
    for arguments in [
        &["fmt", "--check"][..],
        &["clippy", "--locked", "--all-targets", "--", "-D", "warnings"],
        &["test", "--locked"],
    ] {
        let mut cargo = Command::new("cargo");
        cargo.args(arguments).current_dir(project.folder());
        // Compiled once for all runs of this test.
        cargo.env("CARGO_TARGET_DIR", concat!(env!("CARGO_TARGET_TMPDIR"), "/new-project"));
        Said::from(cargo.output().unwrap()).success();
    }

    project.run(&["up"]);
    project.serves(&format!("Hello from {}", project.name));
    let (seconds, _) = project.ask();
    println!(
        "median of {} requests on one connection: {:.2} ms",
        seconds.len(),
        seconds[50] * 1e3
    );
    // Head and body in two packets wait for each other: every answer takes 40 ms, on an idle machine as on a busy one.
    assert!(seconds[10] < 0.03, "{seconds:?}");
    let again = project.run(&["up"]);
    assert!(again.stderr.contains("unchanged"), "{}", again.stderr);

    let source = project.folder().join("src/service.rs");
    let text = fs::read_to_string(&source).unwrap();
    fs::write(&source, text.replace("Hello from", "Greetings from")).unwrap();
    project.run(&["up", "--dev"]);
    project.serves(&format!("Greetings from {}", project.name));
    project.run(&["rollback"]);
    project.serves(&format!("Hello from {}", project.name));

    project.run(&["scale", &format!("{}=2", project.name)]);
    let status: Value = serde_json::from_str(&project.run(&["status", "--output", "json"]).stdout).unwrap();
    assert_eq!(status["pods"].as_array().unwrap().len(), 2, "{status:#}");
    project.run(&["down", "--delete-data"]);
    for kind in ["namespace", "runtimeclass"] {
        let left = kubectl(&["get", kind, &project.name, "--ignore-not-found", "--output", "name"]);
        assert_eq!(left.success().stdout, "", "{kind} is left");
    }
}

#[test]
fn a_name_that_cannot_be_one_is_told_with_one_that_can() {
    let home = tempfile::tempdir().unwrap();
    let new = |arguments: &[&str]| {
        let mut command = deploy_tool_command(&[&["new"], arguments].concat());
        Said::from(command.current_dir(home.path()).output().unwrap())
    };
    new(&["My_Service"]).failure(1, &["`My_Service` cannot be the name", "deploy-tool new my-service"]);
    new(&["test"]).failure(1, &["deploy-tool new my-test"]);
    fs::create_dir(home.path().join("shop")).unwrap();
    fs::write(home.path().join("shop/notes"), "").unwrap();
    new(&["shop"]).failure(1, &["`shop` is not empty", "it has notes"]);
    assert_eq!(fs::read_dir(home.path()).unwrap().count(), 1);
}
