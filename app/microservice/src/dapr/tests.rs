//! Tests with a fake sidecar that listens on a real port.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{channel, Receiver};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use hyper::header::HeaderName;
use hyper::{HeaderMap, Method, StatusCode};
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::*;
use crate::client::ClientError;
use crate::memory::Memory;
use crate::signature::Secret;
use crate::trace::Trace;

/// Starts a fake sidecar that sends these responses, one per connection, and reports the requests. A body that begins with
/// `served` comes from a service.
fn start_sidecar(answers: &[(u16, &'static str)]) -> (Sidecar, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let answers = answers.to_vec();
    let (requests, received) = channel();
    thread::spawn(move || {
        for (status, body) in answers {
            let (mut stream, _) = listener.accept().unwrap();
            requests.send(read_request(&stream)).unwrap();
            // No body goes with 204: https://www.rfc-editor.org/rfc/rfc9110#section-6.4.1-8
            let length = match status {
                204 => String::new(),
                _ => format!("content-length: {}\r\n", body.len()),
            };
            let served_by = if body.starts_with("served") {
                "x-served-by: pricing-1\r\n"
            } else {
                ""
            };
            let head = format!("HTTP/1.1 {status} x\r\n{length}{served_by}connection: close\r\n\r\n");
            stream.write_all(format!("{head}{body}").as_bytes()).unwrap();
        }
    });
    (Sidecar::new(port), received)
}

fn read_request(stream: &TcpStream) -> String {
    let mut reader = BufReader::new(stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        assert_ne!(reader.read_line(&mut head).unwrap(), 0, "{head}");
    }
    let length = head
        .to_lowercase()
        .lines()
        .find_map(|line| line.strip_prefix("content-length: ")?.parse().ok())
        .unwrap_or(0);
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    head + &String::from_utf8(body).unwrap()
}

fn block_on<T>(future: impl std::future::Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(future)
}

fn trace() -> Trace {
    let mut headers = HeaderMap::new();
    let value = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    headers.insert(HeaderName::from_static("traceparent"), value.parse().unwrap());
    headers.insert(
        HeaderName::from_static("tracestate"),
        "a".repeat(5_000).parse().unwrap(),
    );
    headers.insert(HeaderName::from_static("cookie"), "a=b".parse().unwrap());
    Trace::from_headers(&headers)
}

#[test]
fn asks_with_the_trace_of_the_request_and_nothing_else_of_it() {
    let (sidecar, received) = start_sidecar(&[(200, "{}")]);
    let peer = Peer::new(sidecar.invocation("pricing", "price"), Memory::default());
    let answer = block_on(peer.post(r#"{"quantity":1}"#.into(), &trace())).unwrap();
    assert_eq!(answer.status, 200);
    let request = received.recv().unwrap();
    assert!(
        request.starts_with("POST /v1.0/invoke/pricing/method/price HTTP/1.1\r\n"),
        "{request}"
    );
    assert!(request.contains("traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\r\n"));
    assert!(request.contains("content-type: application/json\r\n") && !request.contains("cookie"));
    assert!(!request.contains("tracestate"), "{request}");
    assert!(request.ends_with(r#"{"quantity":1}"#));
}

#[test]
fn asks_again_while_the_other_end_is_away() {
    let (sidecar, received) = start_sidecar(&[(500, "ERR_DIRECT_INVOKE"), (503, ""), (200, "[]")]);
    let peer = Peer::new(sidecar.invocation("pricing", "price"), Memory::default());
    assert_eq!(block_on(peer.post("{}".into(), &Trace::default())).unwrap().status, 200);
    assert_eq!(received.try_iter().count(), 3);
}

const ENDED_BEFORE_ITS_SIDECAR: &str = "failed to invoke, id: pricing, err: rpc error: code = Internal desc = error \
    invoking app channel: Post \"http://127.0.0.1:8080/price\": dial tcp 127.0.0.1:8080: connect: connection refused";
const ENDED_BEFORE_ITS_RESPONSE: &str = "failed to invoke, id: pricing, err: rpc error: code = Internal desc = error \
    invoking app channel: Post \"http://127.0.0.1:8080/price\": EOF";

/// Forwards a request through a sidecar that sends these responses: the result, and the number of requests.
fn forward(method: Method, answers: &[(u16, &'static str)]) -> (Result<StatusCode, ClientError>, usize) {
    let (sidecar, received) = start_sidecar(answers);
    let endpoint = sidecar.invocation("pricing", "");
    let peer = Peer::with_timeout(endpoint, Duration::from_secs(20), Memory::default());
    let result = block_on(peer.forward(method, "price", "{}".into(), &Trace::default()));
    (result.map(|response| response.status), received.try_iter().count())
}

#[test]
fn forwards_again_what_no_service_has_received() {
    let refused = [
        (500, ENDED_BEFORE_ITS_SIDECAR),
        (500, ENDED_BEFORE_ITS_SIDECAR),
        (201, "served"),
    ];
    assert_eq!(forward(Method::POST, &refused), (Ok(StatusCode::CREATED), 3));
}

#[test]
fn forwards_again_what_was_not_responded_to_only_if_it_is_idempotent() {
    let ended = [(500, ENDED_BEFORE_ITS_RESPONSE), (200, "served")];
    assert_eq!(forward(Method::PUT, &ended), (Ok(StatusCode::OK), 2));
    let (result, requests) = forward(Method::POST, &ended[..1]);
    assert_eq!(requests, 1, "it may have been stored");
    assert!(
        matches!(&result, Err(ClientError::Failed(reason)) if reason.ends_with("EOF")),
        "{result:?}"
    );
}

/// Starts a sidecar that responds to the first request of a connection, and closes it: at once, or when it has read the
/// second one. Reports the requests, and each closed connection as an empty text.
fn start_closing_sidecar(closes_at_once: bool) -> (Sidecar, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (requests, received) = channel();
    thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let report = |request| drop(requests.send(request));
            report(read_request(&stream));
            let served = b"HTTP/1.1 200 x\r\ncontent-length: 0\r\nx-served-by: pricing-1\r\n\r\n";
            stream.write_all(served).unwrap();
            if !closes_at_once {
                report(read_request(&stream));
            }
            drop(stream);
            report(String::new());
        }
    });
    (Sidecar::new(port), received)
}

#[test]
fn sends_again_on_another_connection_only_what_was_not_sent_or_may_be_repeated() {
    for (method, closes_at_once, is_ok, requests) in [
        (Method::POST, true, true, 2),
        (Method::PUT, true, true, 2),
        (Method::POST, false, false, 2),
        (Method::PUT, false, true, 3),
    ] {
        let (sidecar, received) = start_closing_sidecar(closes_at_once);
        let endpoint = sidecar.invocation("pricing", "");
        let peer = Peer::with_timeout(endpoint, Duration::from_secs(20), Memory::default());
        let mut count = 0;
        let second = block_on(async {
            let trace = Trace::default();
            let first = peer.forward(method.clone(), "price", "{}".into(), &trace).await;
            assert!(first.is_ok(), "{first:?}");
            if closes_at_once {
                count += usize::from(!received.recv().unwrap().is_empty());
                assert_eq!(received.recv().unwrap(), "");
                // The client learns that its idle connection is closed.
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            peer.forward(method.clone(), "price", "{}".into(), &trace).await
        });
        assert_eq!(second.is_ok(), is_ok, "{method} {second:?}");
        count += received.try_iter().filter(|request| !request.is_empty()).count();
        assert_eq!(count, requests, "{method} {closes_at_once}");
    }
}

#[test]
fn forwards_a_limited_number_of_requests_at_once() {
    // Accepts, and says nothing.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let sidecar = Sidecar::new(listener.local_addr().unwrap().port());
    let endpoint = sidecar.invocation("pricing", "");
    let peer = Peer::with_timeout(endpoint, Duration::from_secs(20), Memory::default());
    let peer = Arc::new(peer);
    let forward = || {
        let peer = Arc::clone(&peer);
        async move {
            peer.forward(Method::POST, "price", "{}".into(), &Trace::default())
                .await
        }
    };
    block_on(async {
        let mut forwarded = JoinSet::new();
        let mut connections = Vec::new();
        for count in 1..=256 {
            forwarded.spawn(forward());
            while connections.len() < count {
                tokio::task::yield_now().await;
                connections.extend(listener.accept());
            }
        }
        let refused = timeout(Duration::from_secs(5), forward()).await;
        assert!(matches!(refused, Ok(Err(ClientError::Busy))), "{refused:?}");
        forwarded.shutdown().await;
        assert!(
            timeout(Duration::from_millis(100), forward()).await.is_err(),
            "it waits"
        );
    });
}

#[test]
fn returns_any_response_of_the_service() {
    for status in [
        StatusCode::INTERNAL_SERVER_ERROR,
        StatusCode::SERVICE_UNAVAILABLE,
        StatusCode::NOT_FOUND,
    ] {
        assert_eq!(forward(Method::GET, &[(status.as_u16(), "served")]), (Ok(status), 1));
    }
    let (result, requests) = forward(Method::GET, &[(500, r#"{"errorCode":"ERR_DIRECT_INVOKE"}"#)]);
    assert_eq!(
        (result.is_err(), requests),
        (true, 1),
        "the sidecar has retried by itself"
    );
}

#[test]
fn takes_what_is_refused_for_an_answer() {
    let (sidecar, received) = start_sidecar(&[(422, "no")]);
    let peer = Peer::new(sidecar.invocation("pricing", "price"), Memory::default());
    assert_eq!(block_on(peer.post("{}".into(), &Trace::default())).unwrap().status, 422);
    assert_eq!(received.try_iter().count(), 1);
}

#[test]
fn gives_up_where_nobody_listens() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    // The port of a connection is taken, and does not listen.
    let connection = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let sidecar = Sidecar::new(connection.local_addr().unwrap().port());
    let peer = Peer::new(sidecar.metadata(), Memory::default());
    let failure = block_on(peer.get("", &Trace::default())).unwrap_err();
    assert!(matches!(failure, ClientError::Unreachable(_)), "{failure:?}");
}

#[test]
fn state_is_set_and_found_by_key() {
    let (sidecar, received) = start_sidecar(&[
        (204, ""),
        (200, r#"{"a":1}"#),
        (204, ""),
        (409, "etag"),
        (400, "no store"),
    ]);
    let store = StateStore::new(sidecar, "statestore", Memory::default());
    block_on(async {
        assert_eq!(store.get("rules", &Trace::default()).await, Ok(None));
        let found = store.get("rules", &Trace::default()).await.unwrap().unwrap();
        assert_eq!(found, r#"{"a":1}"#);
        assert_eq!(store.put("rules", r#"{"a":2}"#, &Trace::default()).await, Ok(()));
        assert_eq!(store.put_if_absent("rules", "1").await, Ok(()));
        let failure = store.put("rules", "1", &Trace::default()).await.unwrap_err();
        assert_eq!(failure.to_string(), "status 400 Bad Request: no store");
    });
    let requests: Vec<String> = received.try_iter().collect();
    assert!(requests[0].starts_with("GET /v1.0/state/statestore/rules HTTP/1.1\r\n"));
    assert!(requests[2].starts_with("POST /v1.0/state/statestore HTTP/1.1\r\n"));
    assert!(requests[2].ends_with(r#"[{"key":"rules","value":{"a":2}}]"#));
    assert!(requests[3].ends_with(r#"[{"key":"rules","value":1,"options":{"concurrency":"first-write"}}]"#));
}

#[test]
fn only_the_sidecar_knows_the_token() {
    let token = AppToken::new(Secret::new("0123456789abcdef"));
    let headers = |value: Option<&str>| {
        let value = value.map(|value| (HeaderName::from_static("dapr-api-token"), value.parse().unwrap()));
        value.into_iter().collect::<HeaderMap>()
    };
    assert!(token.check(&headers(Some("0123456789abcdef"))).is_ok());
    for wrong in [None, Some(""), Some("0123456789abcdeg"), Some("0123456789abcde")] {
        assert_eq!(token.check(&headers(wrong)).unwrap_err().code.status, 401, "{wrong:?}");
    }
}
