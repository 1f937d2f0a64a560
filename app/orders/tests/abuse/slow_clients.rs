//! Clients that send or read slowly, or never finish.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use service_tests::http::{connect, read_response, Request};
use service_tests::test_server::TestServer;
use service_tests::{await_that, scaled};

use crate::support::{slow_reader, ORDERS};
use crate::{abuse_service, read_to_end};

#[test]
fn requests_byte_by_byte_are_answered() {
    abuse_service(|address| {
        let mut stream = connect(address).unwrap();
        for byte in Request::new("POST", "/echo").with_body("slow").to_bytes(address) {
            stream.write_all(&[byte]).unwrap();
            thread::sleep(Duration::from_millis(2));
        }
        assert_eq!(read_response(&mut stream, false).unwrap().body, "slow");
    });
}

/// Each byte of a head is scanned once, however it is split.
#[test]
fn heads_byte_by_byte_cost_nobody_time() {
    abuse_service(|address| {
        let (start, is_over) = (Instant::now(), AtomicBool::new(false));
        // They end also where this test fails.
        let goes_on = || !is_over.load(Ordering::Relaxed) && start.elapsed() < scaled(Duration::from_secs(60));
        let sent = AtomicUsize::new(0);
        thread::scope(|scope| {
            for _ in 0..20 {
                scope.spawn(|| {
                    while goes_on() {
                        let mut stream = connect(address).unwrap();
                        let _ = stream.write_all(b"GET / HTTP/1.1\r\nx: ");
                        for _ in 0..10_000 {
                            if !goes_on() || stream.write_all(b"a").is_err() {
                                break;
                            }
                            sent.fetch_add(1, Ordering::Relaxed);
                        }
                    }
                });
            }
            await_that("they send", || sent.load(Ordering::Relaxed) > 1_000);
            let before = sent.load(Ordering::Relaxed);
            let answered = (0..20).map(|_| {
                let asked = Instant::now();
                let health = Request::new("GET", "/healthz").send(address);
                (health.map(|answer| answer.status).ok(), asked.elapsed())
            });
            let answered: Vec<_> = answered.collect();
            assert!(
                sent.load(Ordering::Relaxed) > before,
                "nobody has sent anything meanwhile"
            );
            is_over.store(true, Ordering::Relaxed);
            for (status, took) in answered {
                assert_eq!(status, Some(200));
                assert!(took < scaled(Duration::from_secs(4)), "{took:?}");
            }
        });
    });
}

/// A head is kept in memory until its request is answered, not while the client is idle.
#[test]
fn large_heads_of_idle_clients_take_nothing_from_others() {
    abuse_service(|address| {
        let large = "a".repeat(30_000);
        let idle: Vec<TcpStream> = (0..200)
            .map(|_| {
                let mut stream = connect(address).unwrap();
                let request = Request::new("GET", "/").header("x", &large);
                stream.write_all(&request.to_bytes(address)).unwrap();
                assert_eq!(read_response(&mut stream, false).unwrap().status, 200);
                stream
            })
            .collect();
        drop(idle);
    });
}

/// Readers that read a little at times hold only a part of the memory of responses, and not for long.
#[test]
fn slow_readers_take_nothing_from_others() {
    abuse_service(|address| {
        let echo = Request::new("POST", "/echo")
            .with_body(&"x".repeat(1_048_000))
            .to_bytes(address);
        let mut readers: Vec<TcpStream> = (0..40)
            .map(|_| {
                let mut stream = slow_reader(address, 4_096);
                stream.write_all(&echo).unwrap();
                stream
            })
            .collect();
        let start = Instant::now();
        while start.elapsed() < Duration::from_secs(15) {
            for path in ["/page.js", "/healthz", "/"] {
                assert_eq!(Request::new("GET", path).send(address).unwrap().status, 200, "{path}");
            }
            let medium = Request::new("POST", "/echo").with_body(&"x".repeat(200_000));
            assert_eq!(medium.send(address).unwrap().status, 200);
            readers.retain_mut(|stream| stream.read(&mut [0; 4_096]).is_ok_and(|bytes| bytes > 0));
            thread::sleep(Duration::from_millis(500));
        }
        await_that("large answers are given again", || {
            let large = Request::new("POST", "/echo").with_body(&"x".repeat(1_048_000));
            large.send(address).is_ok_and(|answer| answer.status == 200)
        });
    });
}

#[test]
fn a_client_that_does_not_read_stalls_nobody() {
    abuse_service(|address| {
        let mut stream = connect(address).unwrap();
        let echo = Request::new("POST", "/echo").with_body(&"x".repeat(1_000_000));
        stream.set_write_timeout(Some(Duration::from_millis(500))).unwrap();
        // Until the send buffer of the service is full and it stops reading.
        while stream.write_all(&echo.to_bytes(address)).is_ok() {}
        let start = Instant::now();
        for _ in 0..20 {
            assert_eq!(Request::new("GET", "/healthz").send(address).unwrap().status, 200);
        }
        assert!(
            start.elapsed() < scaled(Duration::from_secs(10)),
            "{:?}",
            start.elapsed()
        );
    });
}

#[test]
fn slow_heads_and_bodies_are_given_up() {
    abuse_service(|address| {
        let head = "POST /echo HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n";
        for (sent, expected) in [(head.to_owned(), ""), (format!("{head}\r\nab"), "HTTP/1.1 408 ")] {
            let start = Instant::now();
            let mut stream = connect(address).unwrap();
            stream.write_all(sent.as_bytes()).unwrap();
            let answer = read_to_end(&mut stream);
            assert!(answer.starts_with(expected), "{answer}");
            assert!(start.elapsed() >= Duration::from_secs(9), "{:?}", start.elapsed());
        }
    });
}

/// Large incomplete bodies and large unread responses of many concurrent clients: the memory limit of the pod is 128
/// MiB.
#[test]
fn memory_stays_bounded() {
    const LIMIT_KIB: u64 = 128 * 1024;
    let server = TestServer::without_database(&ORDERS);
    let address = server.address.as_str();
    let health = || Request::new("GET", "/healthz").send(address).unwrap().status;

    let large = "x".repeat(1024 * 1024);
    let echo = Request::new("POST", "/echo").with_body(&large).to_bytes(address);
    let head = "POST /create_orders HTTP/1.1\r\nhost: a\r\ncontent-length: 8388608\r\n\r\n";
    let endless = [head.as_bytes(), large.repeat(7).as_bytes()].concat();
    let clients: Vec<TcpStream> = (0..60)
        .map(|client| {
            let mut stream = connect(address).unwrap();
            stream.set_write_timeout(Some(Duration::from_secs(2))).unwrap();
            // A rejected body: the service may close the connection while the client still sends.
            let _ = stream.write_all(if client % 3 == 0 { &endless } else { &echo });
            assert_eq!(health(), 200);
            stream
        })
        .collect();
    drop(clients);
    if let Some(peak) = server.peak_memory_kib() {
        assert!(peak < LIMIT_KIB, "{peak} KiB");
    }
    // Afterwards it handles large bodies again.
    await_that("a large body is taken", || {
        let request = Request::new("POST", "/echo").with_body(&large);
        request.send(address).is_ok_and(|response| response.status == 200)
    });
}
