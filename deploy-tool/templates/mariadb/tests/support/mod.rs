//! The native build and a real MariaDB, each of which ends with its value.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

const PROGRAM: &str = env!("CARGO_BIN_EXE_greeter");
/// The image of manifests/mariadb.yaml.
const IMAGE: &str = "docker.io/library/mariadb:11.8";
const PASSWORD: &str = "secret";

pub struct Service {
    process: Child,
    address: String,
}

impl Service {
    pub fn start(database_port: u16) -> Self {
        let mut process = Command::new(PROGRAM)
            .env("LISTEN_ADDRESS", "127.0.0.1:0")
            .env("DATABASE_HOST", "127.0.0.1")
            .env("DATABASE_PORT", database_port.to_string())
            .env("DATABASE_NAME", "notes")
            .env("DATABASE_USER", "notes")
            .env("DATABASE_PASSWORD", PASSWORD)
            // One for requests, one for probes.
            .env("DATABASE_POOL_MAX", "2")
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut log = BufReader::new(process.stderr.take().unwrap());
        let mut line = String::new();
        log.read_line(&mut line).unwrap();
        let (_, address) = line.split_once("listening on ").unwrap();
        let address = address.split_whitespace().next().unwrap().to_owned();
        // A log that nobody reads would stop the service.
        thread::spawn(move || std::io::copy(&mut log, &mut std::io::stderr()));
        Self { process, address }
    }

    /// The status, the head and the body.
    pub fn ask(&self, method: &str, path: &str, body: &str) -> (u16, String, String) {
        let mut connection = TcpStream::connect(&self.address).unwrap();
        let length = body.len();
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n"
        );
        connection
            .write_all(&[head.as_bytes(), body.as_bytes()].concat())
            .unwrap();
        let mut answer = String::new();
        connection.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        (status, head.to_ascii_lowercase(), body.to_owned())
    }

    pub fn status(&self, method: &str, path: &str, body: &str) -> u16 {
        self.ask(method, path, body).0
    }

    /// How long a connection in constant use is kept.
    pub fn connection_age(&self) -> Duration {
        let mut connection = BufReader::new(TcpStream::connect(&self.address).unwrap());
        let opened = Instant::now();
        loop {
            let request = b"HEAD / HTTP/1.1\r\nHost: localhost\r\n\r\n";
            connection.get_mut().write_all(request).unwrap();
            let mut head = String::new();
            while !head.ends_with("\r\n\r\n") {
                assert_ne!(connection.read_line(&mut head).unwrap(), 0, "{head}");
            }
            if head.contains("\r\nconnection: close\r\n") {
                assert_eq!(connection.read(&mut [0]).unwrap(), 0);
                return opened.elapsed();
            }
            // preStop in the manifests.
            assert!(opened.elapsed() < Duration::from_secs(5), "{head}");
            thread::sleep(Duration::from_millis(50));
        }
    }

    pub fn await_ready(&self, status: u16) {
        eventually(&format!("/readyz answers {status}"), || {
            self.status("GET", "/readyz", "") == status
        });
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // A panic in here would hide the one of a test.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A real one, which ends with its value.
pub struct MariaDb {
    pub container: String,
    pub port: u16,
}

impl MariaDb {
    /// None where there is no Docker, which is said.
    pub fn start() -> Option<Self> {
        if let Err(why) = docker(&["version"]) {
            // Not by eprintln, which is shown of tests that fail alone.
            let notice =
                format!("SKIPPED: a real MariaDB takes Docker, which does not answer: {why}\n");
            std::io::stderr().write_all(notice.as_bytes()).unwrap();
            return None;
        }
        let image = std::env::var("MARIADB_IMAGE").unwrap_or_else(|_| IMAGE.to_owned());
        // It stays the same when the container is started again. Below 32768, where the kernel's own choice begins, nobody
        // else gets it by chance meanwhile.
        let port = 20_000 + std::process::id() as u16 % 10_000;
        let container = docker(&[
            "run",
            "--detach",
            &format!("--publish=127.0.0.1:{port}:3306"),
            "--env=MARIADB_DATABASE=notes",
            "--env=MARIADB_USER=notes",
            &format!("--env=MARIADB_PASSWORD={PASSWORD}"),
            &format!("--env=MARIADB_ROOT_PASSWORD={PASSWORD}"),
            &image,
        ])
        .unwrap();
        Some(Self { container, port })
    }

    pub fn query(&self, sql: &str) -> Result<String, String> {
        let client = ["mariadb", "--user=notes", "--password=secret", "notes"];
        let quiet = ["--skip-column-names", "--execute", sql];
        docker(&[&["exec", &self.container], &client[..], &quiet].concat())
    }
}

impl Drop for MariaDb {
    fn drop(&mut self) {
        let _ = docker(&["rm", "--force", "--volumes", &self.container]);
    }
}

pub fn docker(arguments: &[&str]) -> Result<String, String> {
    let output = Command::new("docker").args(arguments).output();
    let output = output.map_err(|error| error.to_string())?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    if output.status.success() {
        Ok(text(&output.stdout))
    } else {
        Err(text(&output.stderr))
    }
}

pub fn eventually(what: &str, condition: impl Fn() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(
            start.elapsed() < Duration::from_secs(120),
            "not in time: {what}"
        );
        thread::sleep(Duration::from_millis(100));
    }
}
