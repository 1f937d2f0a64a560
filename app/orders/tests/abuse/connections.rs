//! Connections that are kept alive, reset or idle.

use std::io::{ErrorKind, Write};
use std::net::{Shutdown, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use service_tests::http::{connect, read_response, Request};
use service_tests::test_server::TestServer;
use service_tests::time_limit;

use crate::support::ORDERS;
use crate::{abuse_service, read_to_end};

/// Lets a pod terminate without breaking keep-alive connections.
#[test]
fn a_busy_connection_is_told_to_end_after_a_while() {
    abuse_service(|address| {
        // Before the service accepts the connection.
        let start = Instant::now();
        let mut stream = connect(address).unwrap();
        let last = loop {
            stream
                .write_all(&Request::new("GET", "/healthz").to_bytes(address))
                .unwrap();
            let response = read_response(&mut stream, false).unwrap();
            assert_eq!(response.status, 200);
            if response.header("connection") == Some("close") {
                break start.elapsed();
            }
            assert!(start.elapsed() < time_limit(), "it never ends");
            thread::sleep(Duration::from_millis(20));
        };
        assert!(last >= Duration::from_secs(2), "after {last:?}");
        assert_eq!(read_to_end(&mut stream), "");
    });
}

#[test]
fn a_client_that_has_ended_its_side_is_answered() {
    abuse_service(|address| {
        let echo = Request::new("POST", "/echo")
            .with_body(&"x".repeat(900_000))
            .to_bytes(address);
        // Without a database, this response takes until connecting has failed.
        let orders = Request::new("GET", "/orders").to_bytes(address);
        let several = [echo.clone(), echo.clone()].concat();
        for (bytes, answers) in [(echo, 1), (orders, 1), (several, 2)] {
            let mut stream = connect(address).unwrap();
            let mut reader = stream.try_clone().unwrap();
            let writer = thread::spawn(move || {
                stream.write_all(&bytes).unwrap();
                stream.shutdown(Shutdown::Write).unwrap();
            });
            for _ in 0..answers {
                assert!([200, 503].contains(&read_response(&mut reader, false).unwrap().status));
            }
            writer.join().unwrap();
            assert_eq!(read_to_end(&mut reader), "");
        }
    });
}

/// The last response of a connection is complete, however slowly it is read.
#[test]
fn the_last_answer_is_not_cut_off() {
    abuse_service(|address| {
        let body = "x".repeat(1_000_000);
        let mut stream = connect(address).unwrap();
        let request = Request::new("POST", "/echo")
            .header("connection", "close")
            .with_body(&body);
        stream.write_all(&request.to_bytes(address)).unwrap();
        thread::sleep(Duration::from_millis(1_500));
        let response = read_response(&mut stream, false).unwrap();
        assert_eq!(response.body.len(), body.len());
    });
}

/// Closes a connection with a reset (RST).
fn reset(stream: TcpStream) {
    let socket = socket2::Socket::from(stream);
    socket.set_linger(Some(Duration::ZERO)).unwrap();
}

#[test]
fn resets_end_nothing() {
    abuse_service(|address| {
        let large = Request::new("POST", "/echo")
            .with_body(&"x".repeat(500_000))
            .to_bytes(address);
        for round in 0..200 {
            let mut stream = connect(address).unwrap();
            match round % 4 {
                // Before the service has accepted the connection.
                0 => {}
                1 => stream.write_all(b"GET / HT").unwrap(),
                // While the response is being sent.
                2 => stream.write_all(&large).unwrap(),
                _ => {
                    stream.write_all(&Request::new("GET", "/").to_bytes(address)).unwrap();
                    read_response(&mut stream, false).unwrap();
                }
            }
            reset(stream);
        }
    });
}

#[test]
fn many_at_once_reset_together() {
    abuse_service(|address| {
        let streams: Vec<TcpStream> = (0..300)
            .map(|_| {
                let mut stream = connect(address).unwrap();
                stream
                    .write_all(b"POST /echo HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\nab")
                    .unwrap();
                stream
            })
            .collect();
        streams.into_iter().for_each(reset);
    });
}

#[test]
fn idle_connections_are_closed() {
    abuse_service(|address| {
        let start = Instant::now();
        let mut silent = connect(address).unwrap();
        let mut used = connect(address).unwrap();
        used.write_all(&Request::new("GET", "/healthz").to_bytes(address))
            .unwrap();
        read_response(&mut used, false).unwrap();
        assert_eq!(read_to_end(&mut silent), "");
        assert!(start.elapsed() >= Duration::from_secs(9), "{:?}", start.elapsed());
        assert_eq!(read_to_end(&mut used), "");
        assert!(start.elapsed() >= Duration::from_secs(9), "{:?}", start.elapsed());
    });
}

/// Clients that never finish a body, and reconnect when they are evicted, use all connections. A new request, such as
/// the kubelet's probe, is served all the same, because the longest-waiting connection is evicted.
#[test]
fn clients_that_never_finish_keep_nobody_out() {
    let server = TestServer::without_database(&ORDERS);
    let address = server.address.as_str();
    let unfinished = || {
        let mut stream = connect(address).unwrap();
        let head = b"POST /echo HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\nab";
        stream.write_all(head).unwrap();
        stream
    };
    let mut busy: Vec<TcpStream> = (0..1_300).map(|_| unfinished()).collect();
    for round in 0..20 {
        busy.splice(round * 10..(round + 1) * 10, (0..10).map(|_| unfinished()));
        let start = Instant::now();
        assert_eq!(Request::new("GET", "/healthz").send(address).unwrap().status, 200);
        // Without eviction, the first one would have to wait for the timeout of a body, which is ten seconds.
        assert!(start.elapsed() < Duration::from_secs(8), "{:?}", start.elapsed());
    }
    // A running service may have several replicas.
    if server.is_own {
        let ended = busy.iter().filter(|stream| {
            stream.set_nonblocking(true).unwrap();
            matches!(stream.peek(&mut [0]), Ok(0) | Err(_)) && has_ended(stream)
        });
        assert!(ended.count() > 200, "the longest waiting made room");
    }
}

fn has_ended(stream: &TcpStream) -> bool {
    match stream.peek(&mut [0]) {
        Ok(bytes) => bytes == 0,
        Err(error) => error.kind() != ErrorKind::WouldBlock,
    }
}

/// Idle keep-alive connections use all slots, and are evicted for a new request.
#[test]
fn idle_clients_give_way_when_connections_are_scarce() {
    abuse_service(|address| {
        let idle = || {
            let mut stream = connect(address).unwrap();
            let health = Request::new("GET", "/healthz").to_bytes(address);
            stream.write_all(&health).unwrap();
            read_response(&mut stream, false).unwrap();
            stream
        };
        let _idle: Vec<TcpStream> = (0..1_024).map(|_| idle()).collect();
        let start = Instant::now();
        assert_eq!(Request::new("GET", "/").send(address).unwrap().status, 200);
        // Otherwise they would stay open for ten seconds and more.
        assert!(start.elapsed() < Duration::from_secs(9), "{:?}", start.elapsed());
    });
}

/// Head and body must be sent in one packet: with Nagle's algorithm, a second packet would wait for the delayed
/// acknowledgement of the first, for 40 ms.
#[test]
fn answers_on_kept_connections_come_at_once() {
    abuse_service(|address| {
        let stalled = Duration::from_millis(35);
        let quick = (0..5)
            .flat_map(|_| {
                let mut stream = connect(address).unwrap();
                let times: Vec<Duration> = (0..40)
                    .map(|_| {
                        let request = Request::new("GET", "/").to_bytes(address);
                        let start = Instant::now();
                        stream.write_all(&request).unwrap();
                        read_response(&mut stream, false).unwrap();
                        start.elapsed()
                    })
                    .collect();
                times
            })
            .filter(|time| *time < stalled)
            .count();
        // The first few on a connection are never delayed; a busy machine delays some.
        assert!(quick > 120, "{quick} of 200");
    });
}
