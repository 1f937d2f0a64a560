//! One run of the tool: through the proxy, bounded, perhaps killed.

use std::fmt;
use std::io::Read;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use e2e::proxy::{CONTEXT, Proxy};
use e2e::{deploy_tool_command, time_limit};

/// How a run ended.
pub enum Ended {
    /// With a code, and what it said.
    Exit(i32, String),
    /// By the test's SIGKILL.
    Killed,
}

impl Ended {
    /// A run that was not killed did its work, or says in order why it could not: exit codes 2 and 4 of `--help`.
    #[track_caller]
    pub fn check(&self) {
        let Self::Exit(code, output) = self else { return };
        assert!(!output.contains("panicked"), "{output}");
        if *code != 0 {
            assert!(matches!(code, 2 | 4), "exit code {code}: {output}");
            assert!(
                output.contains("error") && output.contains("because:"),
                "it does not say why: {output}"
            );
        }
    }

    /// The run did its work.
    #[track_caller]
    pub fn success(&self) {
        assert!(matches!(self, Self::Exit(0, _)), "{self}");
    }
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exit(0, _) => write!(f, "done"),
            Self::Exit(code, output) => write!(
                f,
                "exit code {code}{}",
                output.replace("\n\n", "\n").replace('\n', "\n    ")
            ),
            Self::Killed => write!(f, "killed"),
        }
    }
}

/// Applies the manifests of a folder, and waits so long for the pods; kills the run after a while if told to.
#[track_caller]
pub fn apply(proxy: &Proxy, namespace: &str, folder: &Path, kill: Option<Duration>, wait: Duration) -> Ended {
    let folder = folder.to_str().unwrap();
    let mut command = deploy_tool_command(&["apply", "-f", folder, "--context", CONTEXT, "--namespace", namespace]);
    let mut process = command
        .args(["--timeout", &format!("{}s", wait.as_secs())])
        .env("KUBECONFIG", proxy.kubeconfig())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stderr = process.stderr.take().unwrap();
    let reader = std::thread::spawn(move || {
        let mut output = String::new();
        stderr.read_to_string(&mut output).map(|_| output)
    });
    let start = Instant::now();
    let status = loop {
        if let Some(status) = process.try_wait().unwrap() {
            break status;
        }
        if kill.is_some_and(|kill| start.elapsed() >= kill) {
            process.kill().unwrap();
        }
        // Its waiting has ended before, with a message.
        if start.elapsed() >= wait + time_limit() {
            process.kill().unwrap();
            panic!("it hangs: {}", reader.join().unwrap().unwrap());
        }
        // The process tells nobody else when it ends.
        std::thread::sleep(Duration::from_millis(20));
    };
    let output = reader.join().unwrap().unwrap();
    status.code().map_or(Ended::Killed, |code| Ended::Exit(code, output))
}
