//! The native build, asked over HTTP.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

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
        let address = line
            .trim()
            .strip_prefix("listening on ")
            .unwrap()
            .to_owned();
        Self { process, address }
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // A panic in here would hide the one of a test.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Asks on a connection that is kept: the status, the `Allow` header and the body.
fn ask(connection: &mut TcpStream, method: &str, path: &str, body: &[u8]) -> (u16, String, String) {
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
    let header = |name: &str| lines.iter().find_map(|line| line.strip_prefix(name));
    let length = match method {
        "HEAD" => 0,
        _ => header("content-length: ").unwrap().parse().unwrap(),
    };
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    let allow = header("allow: ").unwrap_or_default().to_owned();
    (status, allow, String::from_utf8(body).unwrap())
}

#[test]
fn every_route_answers_on_one_connection() {
    let service = Service::start();
    let mut connection = TcpStream::connect(&service.address).unwrap();
    for (method, path, body, status, allow, expected) in [
        ("GET", "/", "", 200, "", "Hello from greeter\n"),
        ("HEAD", "/", "", 200, "", ""),
        ("GET", "/healthz", "", 200, "", "ok\n"),
        ("GET", "/readyz", "", 200, "", "ok\n"),
        ("POST", "/echo", "echoed", 200, "", "echoed"),
        ("DELETE", "/", "", 405, "get, head", "method not allowed\n"),
        ("GET", "/echo", "", 405, "post", "method not allowed\n"),
        ("GET", "/elsewhere", "", 404, "", "not found\n"),
    ] {
        let answer = ask(&mut connection, method, path, body.as_bytes());
        let expected = (status, allow.to_owned(), expected.to_owned());
        assert_eq!(answer, expected, "{method} {path}");
    }
}

#[test]
fn a_connection_in_constant_use_is_closed_before_its_pod_ends() {
    let service = Service::start();
    let mut connection = BufReader::new(TcpStream::connect(&service.address).unwrap());
    let opened = Instant::now();
    loop {
        let request = b"HEAD / HTTP/1.1\r\nHost: localhost\r\n\r\n";
        connection.get_mut().write_all(request).unwrap();
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            assert_ne!(connection.read_line(&mut head).unwrap(), 0, "{head}");
        }
        if head.contains("\r\nconnection: close\r\n") {
            break;
        }
        // preStop in the manifests.
        assert!(opened.elapsed() < Duration::from_secs(5), "{head}");
        thread::sleep(Duration::from_millis(50));
    }
    assert!(opened.elapsed() > Duration::from_secs(1));
    assert_eq!(connection.read(&mut [0]).unwrap(), 0);
    let mut next = TcpStream::connect(&service.address).unwrap();
    assert_eq!(ask(&mut next, "GET", "/", b"").0, 200);
}

#[test]
fn a_body_that_is_too_large_is_refused() {
    let service = Service::start();
    let mut connection = TcpStream::connect(&service.address).unwrap();
    assert_eq!(
        ask(&mut connection, "POST", "/echo", &[b'x'; 70_000]).0,
        413
    );
}
