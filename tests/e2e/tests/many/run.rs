//! One run of the tool, measured from outside: its process by the kernel, its requests by a proxy.

use std::fmt;
use std::process::Stdio;
use std::time::Instant;

use e2e::deploy_tool_command;
use e2e::proxy::{CONTEXT, Proxy};
use wait4::Wait4;

use crate::NAMESPACE;

/// What a run took.
pub struct Figures {
    what: &'static str,
    /// From start to end.
    pub seconds: f64,
    processor_seconds: f64,
    /// Resident, at most, in millions of bytes.
    pub memory_mb: f64,
    requests: usize,
    /// Requests that may have changed something.
    pub writes: usize,
    answers_mb: f64,
    /// Its standard output.
    pub output: String,
}

impl Figures {
    /// Above the figures.
    pub const HEADER: &str = "                     seconds    CPU s  memory MB  requests  writes  answers MB";
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:<19}{:>9.2}{:>9.2}{:>11.1}{:>10}{:>8}{:>12.1}",
            self.what,
            self.seconds,
            self.processor_seconds,
            self.memory_mb,
            self.requests,
            self.writes,
            self.answers_mb
        )
    }
}

/// Runs the tool through the proxy; it must succeed.
#[track_caller]
pub fn run(proxy: &Proxy, what: &'static str, arguments: &[&str]) -> Figures {
    eprintln!("{what}");
    proxy.passed();
    let output = tempfile::NamedTempFile::new().unwrap();
    let mut command = deploy_tool_command(arguments);
    command.args(["--context", CONTEXT, "--namespace", NAMESPACE]);
    command.env("KUBECONFIG", proxy.kubeconfig());
    command.stdin(Stdio::null()).stdout(output.reopen().unwrap());
    let start = Instant::now();
    let used = command.spawn().unwrap().wait4().unwrap();
    let seconds = start.elapsed().as_secs_f64();
    assert!(used.status.success(), "{arguments:?}");
    let (requests, bytes) = proxy.passed();
    Figures {
        what,
        seconds,
        processor_seconds: (used.rusage.utime + used.rusage.stime).as_secs_f64(),
        memory_mb: used.rusage.maxrss as f64 / 1e6,
        writes: requests.iter().filter(|request| request.writes()).count(),
        requests: requests.len(),
        answers_mb: bytes as f64 / 1e6,
        output: std::fs::read_to_string(output.path()).unwrap(),
    }
}
