//! The native build, asked over HTTP.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

const PROGRAM: &str = env!("CARGO_BIN_EXE_greeter");

struct Service {
    process: Child,
    address: String,
}

impl Service {
    fn start() -> Self {
        let mut process = Command::new(PROGRAM)
            .env("LISTEN_ADDRESS", "127.0.0.1:0")
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(process.stderr.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        // A line of JSON: …"message":"listening on 127.0.0.1:41234 (native, native)"}
        let (_, address) = line.split_once("listening on ").unwrap();
        let address = address.split(' ').next().unwrap().to_owned();
        Self { process, address }
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

/// Asks on a connection that is kept: the status and the body.
fn ask(connection: &mut TcpStream, method: &str, path: &str, body: &[u8]) -> (u16, String) {
    let length = body.len();
    let head =
        format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n\r\n");
    connection
        .write_all(&[head.as_bytes(), body].concat())
        .unwrap();
    let mut reader = BufReader::new(connection);
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        match line.trim() {
            "" => break,
            line => lines.push(line.to_ascii_lowercase()),
        }
    }
    let status = lines[0].split(' ').nth(1).unwrap().parse().unwrap();
    let length = lines
        .iter()
        .find_map(|line| line.strip_prefix("content-length: "))
        .unwrap();
    let mut body = vec![0; length.parse().unwrap()];
    reader.read_exact(&mut body).unwrap();
    (status, String::from_utf8(body).unwrap())
}

#[test]
fn every_route_answers_on_one_connection() {
    let service = Service::start();
    let mut connection = TcpStream::connect(&service.address).unwrap();
    for (method, path, body, status, expected) in [
        ("GET", "/", "", 200, "Hello from greeter\n"),
        ("GET", "/healthz", "", 200, r#""status":true"#),
        ("GET", "/readyz", "", 200, r#""status":true"#),
        ("GET", "/metrics", "", 200, "# TYPE "),
        ("POST", "/echo", "echoed", 200, "echoed"),
        ("DELETE", "/", "", 405, r#""code":"method_not_allowed""#),
        ("GET", "/elsewhere", "", 404, r#""code":"not_found""#),
    ] {
        let (found, answer) = ask(&mut connection, method, path, body.as_bytes());
        assert_eq!(found, status, "{method} {path}: {answer}");
        assert!(answer.contains(expected), "{method} {path}: {answer}");
    }
}

#[test]
fn a_body_that_is_too_large_is_refused() {
    let service = Service::start();
    let mut connection = TcpStream::connect(&service.address).unwrap();
    let body = vec![b'x'; 2 * 1024 * 1024];
    assert_eq!(ask(&mut connection, "POST", "/echo", &body).0, 413);
}
