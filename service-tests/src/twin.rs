//! The native twin as a process of its own.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};

use crate::http::{Request, Response};
use crate::{await_that, Service};

/// A running native twin; ends with its value.
#[derive(Debug)]
pub struct Twin {
    process: Child,
    log: Arc<Mutex<Vec<String>>>,
    /// Host and port.
    pub address: String,
}

impl Twin {
    /// Starts a twin with these variables and waits until it listens.
    pub fn start(service: &Service, variables: &[(&str, &str)]) -> Twin {
        let mut twin = Twin::spawn(service, variables, "127.0.0.1:0");
        await_that("the twin listens", || {
            assert_eq!(twin.process.try_wait().unwrap(), None, "{:?}", twin.log());
            twin.address = twin
                .log()
                .iter()
                .find_map(|line| line.split("listening on ").nth(1)?.split(' ').next())
                .unwrap_or_default()
                .to_owned();
            !twin.address.is_empty()
        });
        twin
    }

    /// Starts a twin on this address, which need not tell that it listens.
    pub fn start_quietly(service: &Service, variables: &[(&str, &str)], address: &str) -> Twin {
        let mut twin = Twin::spawn(service, variables, address);
        twin.address = address.to_owned();
        await_that("the twin listens", || std::net::TcpStream::connect(address).is_ok());
        twin
    }

    /// Starts a twin whose log nobody reads until [`Twin::read_log`].
    pub fn start_unread(service: &Service, variables: &[(&str, &str)]) -> Twin {
        let address = std::net::TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .to_string();
        let mut twin = Twin::launch(service, variables, &address);
        twin.address = address;
        await_that("the twin listens", || {
            std::net::TcpStream::connect(&twin.address).is_ok()
        });
        twin
    }

    fn spawn(service: &Service, variables: &[(&str, &str)], address: &str) -> Twin {
        let mut twin = Twin::launch(service, variables, address);
        twin.read_log();
        twin
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

    fn launch(service: &Service, variables: &[(&str, &str)], address: &str) -> Twin {
        let process = Command::new(service.program)
            .env_clear()
            .env("LISTEN_ADDRESS", address)
            .envs(variables.iter().copied())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        Twin {
            process,
            log: Arc::default(),
            address: String::new(),
        }
    }

    /// The lines logged so far.
    pub fn log(&self) -> Vec<String> {
        self.log.lock().unwrap().clone()
    }

    /// The most memory the twin has used.
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

    /// Waits until the twin is ready.
    pub fn await_ready(&self) {
        await_that("the twin is ready", || self.get("/readyz").status == 200);
    }
}

impl Drop for Twin {
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
