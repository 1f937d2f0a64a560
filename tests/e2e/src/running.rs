//! A run of the tool that is watched while it goes on.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use crate::{CommandOutput, eventually};

/// The run. It is killed with its value: a test that fails leaves none that disturbs the next one.
pub struct Running {
    child: Child,
    lines: Receiver<String>,
}

impl Running {
    /// Starts it.
    pub fn start(command: Command) -> Self {
        let mut command = interruptible(&command);
        let command = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().expect("deploy-tool is built: cargo build --release");
        let (send, lines) = channel();
        pass_on(child.stdout.take().unwrap(), send.clone());
        pass_on(child.stderr.take().unwrap(), send);
        Self { child, lines }
    }

    /// The first line that is as wanted; the others before it are dropped.
    #[track_caller]
    pub fn line(&self, what: &str, wanted: impl Fn(&str) -> bool) -> String {
        eventually(what, || self.lines.try_iter().find(|line| wanted(line)))
    }

    /// Waits for what the run does after its builds, however long these take: there is no limit, but its end.
    #[track_caller]
    pub fn past_builds(&mut self, what: &str, mut condition: impl FnMut() -> bool) {
        while !condition() {
            if let Some(status) = self.child.try_wait().unwrap() {
                let output: Vec<String> = self.lines.iter().collect();
                panic!("it has ended without {what}: {status}\n{}", output.join("\n"));
            }
            std::thread::sleep(Duration::from_millis(200));
        }
    }

    /// Everything it says up to a line, however long that takes: there is no limit, but its end.
    #[track_caller]
    pub fn lines_until(&mut self, last: &str) -> Vec<String> {
        let mut output: Vec<String> = Vec::new();
        while !output.iter().any(|line| line == last) {
            match self.lines.recv() {
                Ok(line) => output.push(line),
                Err(_) => panic!("it has ended without `{last}`:\n{}", output.join("\n")),
            }
        }
        output
    }

    /// Waits for its end; `stderr` has all that is left of what it said.
    pub fn ended(mut self) -> CommandOutput {
        let rest: Vec<String> = self.lines.iter().collect();
        let status = self.child.wait().unwrap();
        CommandOutput {
            code: status.code().expect("ended by a signal"),
            stdout: String::new(),
            stderr: rest.join("\n"),
        }
    }

    /// Ctrl-C, and its end.
    pub fn interrupt(self) -> CommandOutput {
        let id = self.child.id().to_string();
        let sent = Command::new("sh").args(["-c", &format!("kill -INT {id}")]).status();
        assert!(sent.unwrap().success(), "it has ended before");
        self.ended()
    }
}

/// The same command, which Ctrl-C ends: whoever started the tests in the background has it ignored, and a shell script cannot
/// take that back.
fn interruptible(command: &Command) -> Command {
    let mut same = Command::new("env");
    same.arg("--default-signal=INT")
        .arg(command.get_program())
        .args(command.get_args());
    if let Some(folder) = command.get_current_dir() {
        same.current_dir(folder);
    }
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => same.env(name, value),
            None => same.env_remove(name),
        };
    }
    same
}

impl Drop for Running {
    fn drop(&mut self) {
        // It has ended already, unless the test failed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn pass_on(stream: impl Read + Send + 'static, send: Sender<String>) {
    std::thread::spawn(move || {
        let lines = BufReader::new(stream).lines().map_while(Result::ok);
        // Nobody listens any more when the value is gone.
        lines
            .map(|line| send.send(line))
            .take_while(Result::is_ok)
            .for_each(drop);
    });
}
