//! docs/roads/wasmedge.md.

use std::net::TcpListener;
use std::process::Command;

use e2e::{CommandOutput, Running, script, unique};

use crate::page;

/// A port of this host that nobody has.
fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// `make run` with names and a port of its own. What it has made is removed with the value.
pub struct Run {
    name: String,
    port: u16,
    variables: Vec<(&'static str, String)>,
}

impl Run {
    pub fn new() -> Self {
        Self::with(&[])
    }

    /// With these variables beside its own.
    pub fn with(variables: &[(&'static str, &str)]) -> Self {
        Self {
            name: unique("wasm-run"),
            port: free_port(),
            variables: variables
                .iter()
                .map(|(name, value)| (*name, (*value).to_owned()))
                .collect(),
        }
    }

    fn command(&self) -> Command {
        let mut command = script("scripts/run");
        command
            .env("RUN_NAME", &self.name)
            .env("HTTP_PORT", self.port.to_string())
            .env_remove("DATABASE_URL")
            .env_remove("MODE")
            .envs(self.variables.iter().cloned());
        command
    }

    pub fn ends_with(&self, set: &[(&str, &str)], code: i32, sentences: &[&str]) {
        let output = self.command().envs(set.iter().copied()).output().unwrap();
        CommandOutput::from(output).failure(code, sentences);
        assert_eq!(self.containers(), "", "containers are left");
    }

    /// Starts it, and waits until it has said the lines of the page.
    pub fn start(&self, lines: &[String]) -> Running {
        let mut running = Running::start(self.command());
        let output = running.lines_until(&format!("http://localhost:{}/", self.port));
        for wanted in lines {
            let wanted = self.adapted(wanted);
            assert!(
                output.iter().any(|line| page::matches(&wanted, line)),
                "no `{wanted}` in {output:#?}"
            );
        }
        running
    }

    /// With this run's port and name in place of the page's.
    fn adapted(&self, text: &str) -> String {
        text.replace("localhost:8080", &format!("localhost:{}", self.port))
            .replace("volume wasm-run", &format!("volume {}", self.name))
    }

    fn containers(&self) -> String {
        docker(&["ps", "--all", "--quiet", "--filter", &format!("name={}", self.name)])
    }

    pub fn curl(&self, line: &str) -> Vec<String> {
        let line = self.adapted(line).replacen("curl ", "curl --silent --show-error ", 1);
        let output = CommandOutput::from(Command::new("sh").args(["-c", &line]).output().unwrap()).success();
        output.stdout.lines().map(str::to_owned).collect()
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        // The volume is there once MariaDB was started.
        let _ = Command::new("docker")
            .args(["volume", "rm", "--force", &self.name])
            .output();
    }
}

fn docker(arguments: &[&str]) -> String {
    let output = CommandOutput::from(Command::new("docker").args(arguments).output().unwrap()).success();
    output.stdout.trim().to_owned()
}

#[test]
#[ignore = "needs Docker and the images of `scripts/images run`"]
fn every_command_of_the_page_does_what_it_says() {
    let run = Run::new();
    let commands = page::commands("wasmedge.md");
    let (start, curls) = commands.split_first().unwrap();
    assert_eq!(start.line, "make run");
    // Already compiled, perhaps: then it says less.
    let lines: Vec<String> = start
        .printed
        .iter()
        .filter(|line| !line.contains("compiled ahead"))
        .cloned()
        .collect();
    let running = run.start(&lines);
    for command in curls {
        let printed = run.curl(&command.line);
        let fits = printed.len() == command.printed.len()
            && printed
                .iter()
                .zip(&command.printed)
                .all(|(line, wanted)| page::matches(wanted, line));
        assert!(
            fits,
            "{}: {printed:#?} in place of {:#?}",
            command.line, command.printed
        );
    }
    run.curl(r#"curl http://localhost:8080/create_order -d '{"order_id":7,"product_id":1,"quantity":1,"amount":1,"shipping":1,"tax":1,"shipping_address":"kept"}'"#);

    assert_eq!(running.interrupt().code, 130);
    assert_eq!(run.containers(), "", "Ctrl-C leaves containers");
    let running = run.start(&[]);
    assert_eq!(
        run.curl("curl --output /dev/null --write-out '%{http_code}' http://localhost:8080/orders/7"),
        ["200"]
    );
    running.interrupt();
}

#[test]
#[ignore = "needs Docker and the images of `scripts/images run`"]
fn what_cannot_work_is_told_in_one_sentence_and_leaves_nothing() {
    let run = Run::new();
    run.ends_with(
        &[("MODE", "fast")],
        1,
        &["MODE is \"fast\": it can be quick, aot or interpreter"],
    );
    run.ends_with(
        &[("DATABASE_URL", "postgres://a")],
        1,
        &["DATABASE_URL does not begin with mysql://"],
    );
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    run.ends_with(
        &[("HTTP_PORT", &port)],
        1,
        &[&format!("port {port} of this host is in use")],
    );
    let nobody = format!("mysql://orders:secret@127.0.0.1:{}/orders", free_port());
    run.ends_with(
        &[("DATABASE_URL", &nobody)],
        1,
        &["does not become ready", "503", "database"],
    );
}
