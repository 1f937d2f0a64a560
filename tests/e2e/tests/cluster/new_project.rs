//! A project of each template of `deploy-tool new`, as somebody has it who knows only the program: in a folder of its own, from
//! its tests to a service in the cluster, changed, scaled, brought back and removed.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

use super::release::documents::assert_follows;
use crate::harness::{CommandOutput, cluster, context, deploy_tool_command, eventually, kubectl, unique};

/// In a folder that ends with its value.
pub struct Project {
    home: tempfile::TempDir,
    /// Of the package and the objects.
    package: String,
    /// Of the namespace and the RuntimeClass.
    pub name: String,
}

/// Ends what `up --dev` goes on compiling: its sources go with the test, and other tests need the processors.
pub fn end_background_compilation(output: &CommandOutput) {
    let (_, begun) = output.stderr.split_once("in the background").unwrap_or_default();
    let Some((_, process)) = begun.split_once("(process ") else {
        return;
    };
    let process: String = process.chars().take_while(char::is_ascii_digit).collect();
    // It may have ended meanwhile.
    let _ = Command::new("kill").args(["-INT", &process]).output();
}

/// Packages of projects that are the same in each run, so that their modules are compiled once.
const NOTES: &str = "notes-of-tests";
const LIBRARY: &str = "library-of-tests";
const LIBRARY_NOTES: &str = "library-notes-of-tests";

impl Project {
    /// Of `deploy-tool new` without options.
    pub fn new() -> Self {
        let name = unique("shop");
        Self::of_template(&name, &name, &[])
    }

    /// On the service library, whose pods say how their module is executed; no other run has compiled its module.
    pub fn of_library() -> Self {
        let name = unique("shop");
        Self::of_template(&name, &name, &["--server", "microservice"])
    }

    /// In a namespace of its own. Only manifests say which: they are no sources of the module.
    fn for_package(package: &str, arguments: &[&str]) -> Self {
        let project = Self::of_template(package, &unique("shop"), arguments);
        let name = &project.name;
        for file in fs::read_dir(project.folder().join("manifests")).unwrap() {
            let path = file.unwrap().path();
            let mut text = fs::read_to_string(&path).unwrap();
            for (before, after) in [
                ("namespace: ", "\n"),
                ("runtimeClassName: ", "\n"),
                ("mariadb.", ".svc.cluster.local"),
            ] {
                text = text.replace(&format!("{before}{package}{after}"), &format!("{before}{name}{after}"));
            }
            if ["namespace.yaml", "runtimeclass.yaml"]
                .iter()
                .any(|file| path.ends_with(file))
            {
                text = text.replace(&format!("name: {package}\n"), &format!("name: {name}\n"));
            }
            fs::write(path, text).unwrap();
        }
        project
    }

    fn of_template(package: &str, name: &str, arguments: &[&str]) -> Self {
        let project = Self {
            home: tempfile::tempdir().unwrap(),
            package: package.to_owned(),
            name: name.to_owned(),
        };
        let mut command = deploy_tool_command(&["new", package, "--output", "json"]);
        command.args(arguments);
        let output = CommandOutput::from(command.current_dir(project.home.path()).output().unwrap()).success();
        let report: Value = serde_json::from_str(&output.stdout).unwrap();
        assert_follows("new", &report);
        assert_eq!(
            (&report["name"], &report["repository"]),
            (&Value::from(package), &Value::from(true))
        );
        project
    }

    /// Its folder.
    pub fn folder(&self) -> PathBuf {
        self.home.path().join(&self.package)
    }

    fn run(&self, verb: &[&str]) -> CommandOutput {
        let mut command = deploy_tool_command(verb);
        command.args(["--context", &context()]).current_dir(self.folder());
        let output = CommandOutput::from(command.output().unwrap()).success();
        end_background_compilation(&output);
        output
    }

    /// The checks that its workflow makes.
    fn check(&self) {
        for arguments in [
            &["fmt", "--check"][..],
            &["clippy", "--locked", "--all-targets", "--", "-D", "warnings"],
            &["test", "--locked"],
        ] {
            let mut cargo = Command::new("cargo");
            cargo.args(arguments).current_dir(self.folder());
            // Compiled once for all runs of these tests.
            cargo.env("CARGO_TARGET_DIR", concat!(env!("CARGO_TARGET_TMPDIR"), "/new-project"));
            cargo.env("MARIADB_IMAGE", "localhost/wasm-mariadb:11.8");
            let output = CommandOutput::from(cargo.output().unwrap()).success();
            assert!(!output.stderr.contains("SKIPPED"), "{}", output.stderr);
        }
    }

    /// Writes other text into a file of the project.
    pub fn replace(&self, file: &str, text: &str, other: &str) {
        let path = self.folder().join(file);
        let before = fs::read_to_string(&path).unwrap();
        assert!(before.contains(text), "{file}: no {text}");
        fs::write(&path, before.replace(text, other)).unwrap();
    }

    /// Runs curl on a node, which reaches the Service.
    fn curl(&self, path: &str, arguments: &[&str]) -> CommandOutput {
        let address = kubectl(&[
            "get",
            "service",
            &self.package,
            "-n",
            &self.name,
            "-o",
            "jsonpath={.spec.clusterIP}",
        ]);
        let url = format!("http://{}{path}", address.success().stdout);
        let node = format!("{}-control-plane", cluster());
        let mut command = Command::new("docker");
        command
            .args(["exec", &node, "curl", "--silent", "--show-error", "--fail", &url])
            .args(arguments);
        CommandOutput::from(command.output().unwrap())
    }

    /// What a path answers.
    fn answer(&self, path: &str) -> String {
        eventually(path, || {
            let output = self.curl(path, &[]);
            (output.code == 0).then_some(output.stdout.trim().to_owned())
        })
    }

    /// `seconds` of each of a hundred requests on one connection, in ascending order.
    fn times(&self) -> Vec<f64> {
        let output = self.curl(
            "/?[1-100]",
            &["--output", "/dev/null", "--write-out", "%{time_total}\n"],
        );
        let mut seconds: Vec<f64> = output
            .success()
            .stdout
            .lines()
            .map(|line| line.parse().unwrap())
            .collect();
        seconds.sort_by(f64::total_cmp);
        seconds
    }

    /// Takes everything away, and looks whether it is.
    fn remove(&self) {
        self.run(&["down", "--delete-data"]);
        for kind in ["namespace", "runtimeclass"] {
            let left = kubectl(&["get", kind, &self.name, "--ignore-not-found", "--output", "name"]);
            assert_eq!(left.success().stdout, "", "{kind} is left");
        }
    }

    /// So many of the service, once those that a rollout has replaced are gone.
    fn has_pods(&self, count: usize) {
        eventually("the number of pods", || {
            let status: Value = serde_json::from_str(&self.run(&["status", "--output", "json"]).stdout).unwrap();
            let of_service = |pod: &&Value| pod["name"].as_str().unwrap().starts_with(&self.package);
            let pods = status["pods"].as_array().unwrap();
            (pods.iter().filter(of_service).count() == count).then_some(())
        });
    }

    /// Waits until `/` answers so.
    pub fn serves(&self, text: &str) {
        eventually(text, || (self.answer("/") == text).then_some(()));
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
    project.check();
    project.run(&["up"]);
    project.serves(&format!("Hello from {}", project.name));
    let seconds = project.times();
    println!(
        "median of {} requests on one connection: {:.2} ms",
        seconds.len(),
        seconds[50] * 1e3
    );
    // Head and body in two packets wait for each other: every answer takes 40 ms, on an idle machine as on a busy one.
    assert!(seconds[10] < 0.03, "{seconds:?}");
    let again = project.run(&["up"]);
    assert!(again.stderr.contains("unchanged"), "{}", again.stderr);

    project.replace("src/service.rs", "Hello from", "Greetings from");
    project.run(&["up", "--dev"]);
    project.serves(&format!("Greetings from {}", project.name));
    project.run(&["rollback"]);
    project.serves(&format!("Hello from {}", project.name));

    project.run(&["scale", &format!("{}=2", project.name)]);
    project.has_pods(2);
    project.remove();
}

#[test]
#[ignore = "needs a cluster, see main.rs"]
fn a_new_project_with_a_database_keeps_its_rows_whatever_is_deployed() {
    let project = Project::for_package(NOTES, &["--database", "mariadb"]);
    project.check();
    // With `--dev` throughout: what a release's optimisation takes is minutes, and it is tested above.
    project.run(&["up", "--dev"]);
    project.serves(&format!("Hello from {NOTES}"));
    let text = "{\"text\":\"Käse\"}";
    let written = project.curl("/notes", &["--data", text]).success().stdout;
    let notes = format!("[{written}]");
    assert_eq!(project.answer("/notes"), notes);

    // A version with another greeting and one migration more.
    project.replace("src/service.rs", "Hello from", "Greetings from");
    let migration =
        "ALTER TABLE notes ADD COLUMN IF NOT EXISTS made_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP;\n";
    fs::write(project.folder().join("migrations/0002_made_at.sql"), migration).unwrap();
    let first = "(1, include_str!(\"../migrations/0001_notes.sql\"))";
    let both = format!("{first}, (2, include_str!(\"../migrations/0002_made_at.sql\"))");
    project.replace("src/migrations.rs", first, &both);
    project.run(&["up", "--dev"]);
    project.serves(&format!("Greetings from {NOTES}"));
    let applied = || {
        let client = "MYSQL_PWD=\"$MARIADB_PASSWORD\" mariadb --user=notes --skip-column-names notes --execute \
            'SELECT GROUP_CONCAT(number ORDER BY number) FROM migrations'";
        let arguments = ["exec", "-n", &project.name, "mariadb-0", "--", "sh", "-c", client];
        kubectl(&arguments).success().stdout.trim().to_owned()
    };
    eventually("both migrations are applied", || (applied() == "1,2").then_some(()));
    assert_eq!(project.answer("/notes"), notes);

    // The version before goes on with the newer tables.
    project.run(&["rollback"]);
    project.serves(&format!("Hello from {NOTES}"));
    project.run(&["scale", &format!("{NOTES}=2")]);
    project.has_pods(2);
    project.curl("/notes", &["--data", text]).success();
    let notes = project.answer("/notes");
    assert_eq!(notes.matches("Käse").count(), 2, "{notes}");

    // Data outlives what is taken away, with its password.
    project.run(&["down"]);
    project.run(&["up", "--dev"]);
    assert_eq!(project.answer("/notes"), notes);
    project.remove();
}

#[test]
#[ignore = "needs a cluster, see main.rs"]
fn a_new_project_on_the_service_library_answers_and_tells_its_metrics() {
    let project = Project::for_package(LIBRARY, &["--server", "microservice"]);
    project.check();
    // As above.
    project.run(&["up", "--dev"]);
    project.serves(&format!("Hello from {LIBRARY}"));
    let echoed = project.curl("/echo", &["--data", "short"]);
    assert_eq!(echoed.success().stdout, "short");
    let metrics = project.answer("/metrics");
    assert!(metrics.contains("# TYPE "), "{metrics}");
    assert_names_are_valid(&metrics);
    project.remove();
}

/// With one invalid name, such as that of a package with hyphens, Prometheus reads none of the metrics.
fn assert_names_are_valid(metrics: &str) {
    for sample in metrics.lines().filter(|line| !line.starts_with('#')) {
        let name = sample.split(['{', ' ']).next().unwrap();
        let is_valid = name
            .chars()
            .all(|character| character.is_ascii_alphanumeric() || character == '_');
        assert!(is_valid && !name.is_empty(), "{sample}");
    }
}

#[test]
#[ignore = "needs a cluster, see main.rs"]
fn a_new_project_on_the_service_library_with_a_database_keeps_its_rows() {
    let project = Project::for_package(LIBRARY_NOTES, &["--server", "microservice", "--database", "mariadb"]);
    project.check();
    // As above.
    project.run(&["up", "--dev"]);
    project.serves(&format!("Hello from {LIBRARY_NOTES}"));
    let written = project
        .curl("/notes", &["--data", "{\"text\":\"Käse\"}"])
        .success()
        .stdout;
    project.run(&["down"]);
    project.run(&["up", "--dev"]);
    assert_eq!(project.answer("/notes"), format!("[{written}]"));
    let metrics = project.answer("/metrics");
    assert!(metrics.contains("_database_connections"), "{metrics}");
    assert_names_are_valid(&metrics);
    project.remove();
}

#[test]
fn a_name_that_cannot_be_one_is_told_with_one_that_can() {
    let home = tempfile::tempdir().unwrap();
    let new = |arguments: &[&str]| {
        let mut command = deploy_tool_command(&[&["new"], arguments].concat());
        CommandOutput::from(command.current_dir(home.path()).output().unwrap())
    };
    new(&["My_Service"]).failure(1, &["`My_Service` cannot be the name", "deploy-tool new my-service"]);
    new(&["test"]).failure(1, &["deploy-tool new my-test"]);
    fs::create_dir(home.path().join("shop")).unwrap();
    fs::write(home.path().join("shop/notes"), "").unwrap();
    new(&["shop"]).failure(1, &["`shop` is not empty", "it has notes"]);
    fs::write(home.path().join("notes"), "").unwrap();
    new(&["notes"]).failure(1, &["`notes` is a file", "name a folder that is not there"]);
    assert_eq!(fs::read_dir(home.path()).unwrap().count(), 2);
}
