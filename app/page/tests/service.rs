//! The service over HTTP, beside a sidecar that is none: it answers what a test has prepared.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{channel, Receiver};
use std::thread;

use service_tests::http::Request;
use service_tests::native_process::NativeProcess;
use service_tests::refusing_port::RefusingPort;
use service_tests::Service;

const PAGE: Service = Service {
    program: env!("CARGO_BIN_EXE_page"),
    url_variable: "PAGE_URL",
};

/// Listens as a sidecar, gives one connection after the other the next of these answers, and tells what was asked.
fn sidecar(answers: &'static [&'static str]) -> (String, Requests) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    let (requests, received) = channel();
    thread::spawn(move || {
        for answer in answers {
            let (stream, request) = accept_request(&listener).map_or_else(
                |error| (None, Err(error)),
                |(stream, request)| (Some(stream), Ok(request)),
            );
            let _ = requests.send(request);
            if let Some(mut stream) = stream {
                // The service may not read all of it.
                let _ = stream.write_all(answer.as_bytes());
            }
        }
    });
    (port, Requests(received))
}

/// What a sidecar was asked.
struct Requests(Receiver<std::io::Result<String>>);

impl Requests {
    fn next(&self) -> String {
        self.0.recv().unwrap().unwrap()
    }

    fn count(&self) -> usize {
        self.0.try_iter().count()
    }
}

/// Takes one connection, and reads its request.
fn accept_request(listener: &TcpListener) -> std::io::Result<(TcpStream, String)> {
    let (stream, _) = listener.accept()?;
    let mut reader = BufReader::new(&stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head)? == 0 {
            return Err(std::io::Error::other(format!("the head ends early: {head:?}")));
        }
    }
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    let length = length.map_or(Ok(0), str::parse).map_err(std::io::Error::other)?;
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    Ok((stream, head + &String::from_utf8_lossy(&body)))
}

#[test]
fn serves_the_page_while_its_sidecar_is_away() {
    let refusing = RefusingPort::new();
    let service = NativeProcess::start(&PAGE, &[("DAPR_HTTP_PORT", &refusing.number().to_string())]);
    let page = service.get("/");
    assert!(page.body.contains("<title>Orders</title>"), "{}", page.body);
    assert!(page
        .header("content-security-policy")
        .unwrap()
        .contains("script-src 'self'"));
    for path in [
        "/page.css",
        "/page.js",
        "/sidecar.js",
        "/healthz",
        "/readyz",
        "/metrics",
    ] {
        assert_eq!(service.get(path).status, 200, "{path}");
    }
    let answer = service.get("/orders");
    assert_eq!(
        (answer.status, answer.error_code().as_deref()),
        (503, Some("unreachable"))
    );
    assert_eq!(answer.header("retry-after"), Some("1"));
    let change = service.send(&Request::new("DELETE", "/orders/7"));
    assert_eq!(change.error_code().as_deref(), Some("unreachable"), "it was not sent");
    assert_eq!(service.get("/create_order").status, 404);
}

#[test]
fn forwards_what_the_page_asks() {
    let (port, requests) = sidecar(&[
        "HTTP/1.1 200 x\r\ncontent-type: application/json\r\nlink: </orders?after=2>; rel=\"next\"\r\n\
         x-served-by: orders-1; build=wasm; mode=aot\r\ncontent-length: 2\r\nconnection: close\r\n\r\n[]",
        "HTTP/1.1 422 x\r\ncontent-type: application/json\r\nx-served-by: orders-1\r\ncontent-length: 2\r\n\
         connection: close\r\n\r\n{}",
        "HTTP/1.1 204 x\r\nx-served-by: orders-1\r\nconnection: close\r\n\r\n",
        // Of a sidecar that does not reach the orders service.
        "HTTP/1.1 500 x\r\ncontent-length: 32\r\nconnection: close\r\n\r\n{\"errorCode\":\"ERR_DIRECT_INVOKE\"}",
    ]);
    let service = NativeProcess::start(&PAGE, &[("DAPR_HTTP_PORT", &port)]);
    let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let list = service.send(&Request::new("GET", "/orders?limit=25&after=1").header("traceparent", trace));
    assert_eq!((list.status, list.body.as_str()), (200, "[]"));
    assert_eq!(list.header("link"), Some("</orders?after=2>; rel=\"next\""));
    assert_eq!(list.header("x-served-by"), Some("orders-1; build=wasm; mode=aot"));
    assert_eq!(list.header("via"), Some("1.1 page"));
    let request = requests.next();
    assert!(
        request.starts_with("GET /v1.0/invoke/orders/method/orders?limit=25&after=1 HTTP/1.1\r\n"),
        "{request}"
    );
    assert!(request.contains(&format!("traceparent: {trace}\r\n")), "{request}");

    let order = service.send(
        &Request::new("PUT", "/orders/7")
            .header("content-type", "application/json")
            .with_body(r#"{"order_id":7}"#),
    );
    assert_eq!((order.status, order.body.as_str()), (422, "{}"));
    let request = requests.next();
    assert!(
        request.starts_with("PUT /v1.0/invoke/orders/method/orders/7 HTTP/1.1\r\n"),
        "{request}"
    );
    assert!(request.ends_with("\r\n\r\n{\"order_id\":7}"), "{request}");

    assert_eq!(service.send(&Request::new("DELETE", "/orders/7")).status, 204);
    assert!(requests.next().starts_with("DELETE "));
    let answer = service.get("/events?limit=10");
    assert_eq!(
        (answer.status, answer.error_code().as_deref()),
        (503, Some("unreachable"))
    );
}

/// It may have been made.
#[test]
fn a_change_without_an_answer_is_not_said_to_be_refused() {
    let (port, requests) = sidecar(&[
        "",
        "",
        "HTTP/1.1 500 x\r\ncontent-length: 32\r\nconnection: close\r\n\r\n{\"errorCode\":\"ERR_DIRECT_INVOKE\"}",
    ]);
    let service = NativeProcess::start(&PAGE, &[("DAPR_HTTP_PORT", &port)]);
    for (method, path, status, code) in [
        ("POST", "/orders", 504, "timeout"),
        ("GET", "/orders", 503, "unreachable"),
        ("DELETE", "/orders/7", 504, "timeout"),
    ] {
        let answer = service.send(&Request::new(method, path));
        assert_eq!(
            (answer.status, answer.error_code().as_deref()),
            (status, Some(code)),
            "{method}"
        );
        assert!(requests.next().starts_with(method));
    }
}

/// The orders service can be away for so long that all connections would wait for it.
#[test]
fn what_waits_for_the_orders_service_leaves_connections_for_the_rest() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = silent.local_addr().unwrap().port().to_string();
    let service = NativeProcess::start(&PAGE, &[("DAPR_HTTP_PORT", &port)]);
    let waiting: Vec<_> = (0..256)
        .map(|_| {
            let mut client = TcpStream::connect(&service.address).unwrap();
            let request = Request::new("GET", "/orders").to_bytes(&service.address);
            client.write_all(&request).unwrap();
            (client, silent.accept().unwrap())
        })
        .collect();
    for method in ["GET", "POST"] {
        let refused = service.send(&Request::new(method, "/orders"));
        assert_eq!(
            (refused.status, refused.error_code().as_deref()),
            (503, Some("busy")),
            "{method}"
        );
        assert_eq!(refused.header("retry-after"), Some("1"));
    }
    assert_eq!(service.get("/healthz").status, 200);
    drop(waiting);
}

#[test]
fn an_answer_that_is_too_large_is_asked_for_once() {
    let orders = vec!["{\"order_id\":1}"; 100_000].join(",");
    let answer = format!(
        "HTTP/1.1 200 x\r\nx-served-by: orders-1\r\ncontent-length: {}\r\n\r\n[{orders}]",
        orders.len() + 2
    );
    let answer: &'static str = answer.leak();
    let (port, requests) = sidecar(vec![answer, answer].leak());
    let service = NativeProcess::start(&PAGE, &[("DAPR_HTTP_PORT", &port)]);
    let answer = service.get("/orders?limit=10000");
    assert_eq!(
        (answer.status, answer.error_code().as_deref()),
        (502, Some("answer_too_large"))
    );
    assert_eq!(requests.count(), 1);
}

/// What is no number stays out of the path that the sidecar reads, and another site's page changes nothing.
#[test]
fn refuses_what_must_not_reach_the_sidecar() {
    let service = NativeProcess::start(&PAGE, &[("DAPR_HTTP_PORT", "1")]);
    for path in ["/orders/..", "/orders/%2e%2e", "/orders/%2e%2e%2f%2e%2e", "/orders/x"] {
        assert_eq!(service.get(path).status, 404, "{path}");
    }
    let foreign = Request::new("DELETE", "/orders/7").header("sec-fetch-site", "cross-site");
    assert_eq!(service.send(&foreign).error_code().as_deref(), Some("cross_site"));
    assert_eq!(service.send(&Request::new("POST", "/events")).status, 405);
    for (method, path) in [("POST", "/orders"), ("PUT", "/orders/7")] {
        let text = Request::new(method, path)
            .header("content-type", "text/plain")
            .with_body("{}");
        assert_eq!(
            service.send(&text).error_code().as_deref(),
            Some("unsupported_media_type")
        );
    }
}

#[test]
fn says_that_it_needs_a_sidecar() {
    let output = std::process::Command::new(PAGE.program)
        .env_remove("DAPR_HTTP_PORT")
        .output()
        .unwrap();
    assert!(!output.status.success());
    let message = String::from_utf8_lossy(&output.stderr);
    assert!(message.contains("DAPR_HTTP_PORT is missing"), "{message}");
}
