//! The native build, asked over HTTP: without a database, and with a real MariaDB in a container where there is Docker.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

const PROGRAM: &str = env!("CARGO_BIN_EXE_greeter");
/// The image of manifests/mariadb.yaml.
const IMAGE: &str = "docker.io/library/mariadb:11.8";
const PASSWORD: &str = "secret";

struct Service {
    process: Child,
    address: String,
}

impl Service {
    fn start(database_port: u16) -> Self {
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
        // A line of JSON: …"message":"listening on 127.0.0.1:41234 (native, native)"}
        let (_, address) = line.split_once("listening on ").unwrap();
        let address = address.split(' ').next().unwrap().to_owned();
        // A log that nobody reads would stop the service.
        thread::spawn(move || std::io::copy(&mut log, &mut std::io::stderr()));
        Self { process, address }
    }

    /// The status, the head and the body.
    fn ask(&self, method: &str, path: &str, body: &str) -> (u16, String, String) {
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

    fn status(&self, method: &str, path: &str, body: &str) -> u16 {
        self.ask(method, path, body).0
    }

    fn await_ready(&self, status: u16) {
        eventually(&format!("/readyz answers {status}"), || {
            self.status("GET", "/readyz", "") == status
        });
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

/// A real one, which ends with its value.
struct MariaDb {
    container: String,
    port: u16,
}

impl MariaDb {
    /// None where there is no Docker, which is said.
    fn start() -> Option<Self> {
        if let Err(why) = docker(&["version"]) {
            // Not by eprintln, which is shown of tests that fail alone.
            let notice =
                format!("SKIPPED: a real MariaDB takes Docker, which does not answer: {why}\n");
            std::io::stderr().write_all(notice.as_bytes()).unwrap();
            return None;
        }
        let image = std::env::var("MARIADB_IMAGE").unwrap_or_else(|_| IMAGE.to_owned());
        // It stays the same when the container is started again.
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        drop(listener);
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

    fn query(&self, sql: &str) -> Result<String, String> {
        let client = ["mariadb", "--user=notes", "--password=secret", "notes"];
        let quiet = ["--skip-column-names", "--execute", sql];
        docker(&[&["exec", &self.container], &client[..], &quiet].concat())
    }
}

impl Drop for MariaDb {
    fn drop(&mut self) {
        docker(&["rm", "--force", "--volumes", &self.container]).unwrap();
    }
}

fn docker(arguments: &[&str]) -> Result<String, String> {
    let output = Command::new("docker").args(arguments).output();
    let output = output.map_err(|error| error.to_string())?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    match output.status.success() {
        true => Ok(text(&output.stdout)),
        false => Err(text(&output.stderr)),
    }
}

fn eventually(what: &str, condition: impl Fn() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(
            start.elapsed() < Duration::from_secs(120),
            "not in time: {what}"
        );
        thread::sleep(Duration::from_millis(100));
    }
}

#[test]
fn without_a_database_it_lives_and_says_so() {
    let service = Service::start(1);
    for (method, path, body, expected) in [
        ("GET", "/", "", 200),
        ("GET", "/healthz", "", 200),
        ("GET", "/readyz", "", 503),
        ("GET", "/metrics", "", 200),
        ("GET", "/notes", "", 503),
        ("POST", "/notes", r#"{"text": "Buy milk"}"#, 503),
        ("POST", "/notes", "no JSON", 400),
        ("POST", "/notes", r#"{"text": ""}"#, 400),
        ("POST", "/notes", &"x".repeat(70_000), 413),
        ("DELETE", "/notes", "", 405),
        ("GET", "/elsewhere", "", 404),
    ] {
        let (status, head, _) = service.ask(method, path, body);
        assert_eq!(status, expected, "{method} {path}");
        assert_eq!(head.contains("\r\nretry-after: 1"), status == 503, "{head}");
    }
}

#[test]
fn notes_are_kept_whatever_happens() {
    let Some(database) = MariaDb::start() else {
        return;
    };
    // Two that start together take turns: each migration is applied once.
    let services = [Service::start(database.port), Service::start(database.port)];
    services.iter().for_each(|service| service.await_ready(200));
    let applied = database.query("SELECT GROUP_CONCAT(version ORDER BY version) FROM notes_schema");
    assert_eq!(applied.unwrap(), "1");

    let service = &services[0];
    let text = r#"{"text":"Käse, 牛乳 and 🥛'; --"}"#;
    let (status, _, note) = service.ask("POST", "/notes", text);
    assert_eq!((status, note.ends_with(&text[1..])), (201, true), "{note}");
    let notes = (200, format!("[{note}]"));
    let list = |service: &Service| {
        let (status, _, body) = service.ask("GET", "/notes", "");
        (status, body)
    };
    assert_eq!(list(&services[1]), notes);

    // Requests that wait for a lock of somebody else have an answer in time, and no probe queues behind them.
    thread::scope(|scope| {
        scope.spawn(|| database.query("LOCK TABLES notes WRITE; DO SLEEP(8)"));
        eventually("the table is locked", || {
            let seen = database.query("SHOW OPEN TABLES WHERE In_use > 0");
            seen.unwrap().contains("notes")
        });
        let waiting: Vec<_> = (0..4)
            .map(|_| scope.spawn(|| service.status("POST", "/notes", text)))
            .collect();
        let start = Instant::now();
        assert_eq!(service.status("GET", "/readyz", ""), 200);
        assert!(
            start.elapsed() < Duration::from_secs(3),
            "{:?}",
            start.elapsed()
        );
        for answer in waiting {
            // 504: sent and not answered in time; 503: never sent.
            assert!([503, 504].contains(&answer.join().unwrap()));
        }
    });
    assert_eq!(list(service), notes);

    // The database goes and comes back, and nobody starts the service again.
    docker(&["stop", &database.container]).unwrap();
    service.await_ready(503);
    assert_eq!(service.status("GET", "/healthz", ""), 200);
    assert_eq!(service.status("POST", "/notes", text), 503);
    docker(&["start", &database.container]).unwrap();
    service.await_ready(200);
    assert_eq!(list(service), notes);

    // So do its tables.
    database.query("DROP TABLE notes, notes_schema").unwrap();
    service.await_ready(200);
    assert_eq!(list(service), (200, "[]".to_owned()));
}
