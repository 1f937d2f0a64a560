//! The native build as a process of its own.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};

use crate::http::{Request, Response};
use crate::{await_that, eventually, Service};

/// A running native build; ends with its value.
#[derive(Debug)]
pub struct NativeProcess {
    process: Child,
    log: Arc<Mutex<Vec<String>>>,
    /// Host and port.
    pub address: String,
}

impl NativeProcess {
    /// Starts a native build with these variables and waits until it listens.
    pub fn start(service: &Service, variables: &[(&str, &str)]) -> NativeProcess {
        let mut native = NativeProcess::start_unread(service, variables);
        native.read_log();
        native
    }

    /// Starts a native build whose log nobody reads until [`NativeProcess::read_log`].
    pub fn start_unread(service: &Service, variables: &[(&str, &str)]) -> NativeProcess {
        let process = Command::new(service.program)
            .env_clear()
            .env("LISTEN_ADDRESS", "127.0.0.1:0")
            .envs(variables.iter().copied())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut native = NativeProcess {
            process,
            log: Arc::default(),
            address: String::new(),
        };
        native.address = eventually("the native build listens", || {
            assert_eq!(native.process.try_wait().unwrap(), None, "it ended");
            let port = listening_port(native.process.id())?;
            Some(format!("127.0.0.1:{port}"))
        });
        native
    }

    /// Reads what is logged from now on.
    pub fn read_log(&mut self) {
        let lines = BufReader::new(self.process.stderr.take().unwrap()).lines();
        let sink = Arc::clone(&self.log);
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                sink.lock().unwrap().push(line);
            }
        });
    }

    /// The lines logged so far.
    pub fn log(&self) -> Vec<String> {
        self.log.lock().unwrap().clone()
    }

    /// Waits until a line with this text is logged: it is read later than the answer to a request that was sent after it.
    pub fn await_logged(&self, text: &str) {
        let is_logged = || self.log().iter().any(|line| line.contains(text));
        await_that(&format!("a line with `{text}` is logged"), is_logged);
    }

    /// The most memory the native build has used.
    pub fn peak_memory_kib(&self) -> u64 {
        peak_memory_kib(self.process.id())
    }

    /// Sends a request.
    pub fn send(&self, request: &Request) -> Response {
        request.send(&self.address).unwrap()
    }

    /// Sends a GET.
    pub fn get(&self, target: &str) -> Response {
        self.send(&Request::new("GET", target))
    }

    /// Waits until the native build is ready.
    pub fn await_ready(&self) {
        await_that("the native build is ready", || self.get("/readyz").status == 200);
    }
}

/// The port that a process listens on, as the kernel knows it: a port chosen beforehand may be taken by then, and a native build
/// that logs nothing cannot tell its own. <https://man7.org/linux/man-pages/man5/proc_pid_net.5.html>
fn listening_port(process: u32) -> Option<u16> {
    const LISTEN: &str = "0A";
    let descriptors = std::fs::read_dir(format!("/proc/{process}/fd")).ok()?;
    let opened: Vec<PathBuf> = descriptors
        .filter_map(|entry| std::fs::read_link(entry.ok()?.path()).ok())
        .collect();
    let sockets = std::fs::read_to_string(format!("/proc/{process}/net/tcp")).ok()?;
    sockets.lines().find_map(|line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let socket = PathBuf::from(format!("socket:[{}]", fields.get(9)?));
        let is_its_own = fields[3] == LISTEN && opened.contains(&socket);
        let port = fields[1].rsplit_once(':').filter(|_| is_its_own)?.1;
        u16::from_str_radix(port, 16).ok()
    })
}

impl Drop for NativeProcess {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The most memory a process has used.
pub fn peak_memory_kib(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    peak.trim().trim_end_matches(" kB").parse().unwrap()
}
