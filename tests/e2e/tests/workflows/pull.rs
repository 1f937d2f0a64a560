//! `scripts/pull` with a registry that refuses.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use e2e::{CommandOutput, script};

/// Docker Hub's answer to an address that has pulled too much: it is there, and its sentence is what the user has to read.
#[test]
#[ignore = "needs Docker, see main.rs"]
fn a_pull_that_is_refused_is_tried_three_times_and_told_in_the_engines_words() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let asked = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&asked);
    let body = r#"{"errors":[{"code":"TOOMANYREQUESTS","message":"You have reached your pull rate limit."}]}"#;
    let answer = format!(
        "HTTP/1.1 429 Too Many Requests\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    thread::spawn(move || {
        for connection in listener.incoming() {
            let mut connection = connection.unwrap();
            let mut request = [0; 4096];
            let read = connection.read(&mut request).unwrap_or(0);
            // The engine tries TLS first. Each try asks for a login or for the manifest, by GET or HEAD, once or twice.
            if String::from_utf8_lossy(&request[..read]).contains(" /v2/") {
                counted.fetch_add(1, Ordering::SeqCst);
            }
            let _ = connection.write_all(answer.as_bytes());
        }
    });
    let output = CommandOutput::from(
        script("scripts/pull")
            .arg(format!("{address}/library/debian:x"))
            .output()
            .unwrap(),
    );
    let output = output.failure(3, &["again in 5 s", "again in 15 s"]);
    // The containerd image store asks by HEAD, whose answer has no body.
    let sentences = [
        "toomanyrequests: You have reached your pull rate limit.",
        "429 Too Many Requests",
    ];
    let times = sentences.map(|sentence| output.stderr.matches(sentence).count());
    assert!(times.contains(&3), "{}", output.stderr);
    assert!(asked.load(Ordering::SeqCst) >= 3, "{}", output.stderr);
}

/// The name of a registry that is not there: nothing that a pause mends. `.invalid` is nobody's (RFC 2606).
#[test]
#[ignore = "needs Docker, see main.rs"]
fn a_registry_that_no_name_server_knows_is_asked_once() {
    let output = script("scripts/pull")
        .arg("registry.invalid/library/debian:x")
        .output()
        .unwrap();
    let output = CommandOutput::from(output).failure(3, &["registry.invalid", "no such host"]);
    assert!(!output.stderr.contains("again in"), "{}", output.stderr);
}
