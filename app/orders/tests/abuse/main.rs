//! Slow, broken and hostile clients. After each of them, the service must still serve others.
//!
//! `ORDERS_URL=http://host:port cargo test -p app --test abuse` uses a running service, such as
//! the guest.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod connections;
mod framing;
mod slow_clients;
#[path = "../support/mod.rs"]
mod support;

use std::io::{ErrorKind, Read};
use std::net::TcpStream;

use service_tests::http::Request;
use service_tests::test_server::TestServer;
use support::ORDERS;

/// Runs an action against a service, and checks that it still serves requests.
fn abuse_service(action: impl FnOnce(&str)) {
    let server = TestServer::without_database(&ORDERS);
    action(&server.address);
    let health = Request::new("GET", "/healthz").send(&server.address).unwrap();
    assert_eq!(health.status, 200);
}

/// Reads until the service closes the connection.
fn read_to_end(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    match stream.read_to_end(&mut bytes) {
        // Some systems reset a connection that was closed with unread bytes.
        Err(error) if error.kind() != ErrorKind::ConnectionReset => panic!("{error}"),
        _ => String::from_utf8_lossy(&bytes).into_owned(),
    }
}
