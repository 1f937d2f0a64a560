//! Fast transfers are never aborted, whatever other clients with the same address do.
//!
//! All clients here have one address, as those behind a NodePort, a proxy or a NAT. A 503 at the beginning is allowed,
//! because the transfer has not started.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use service_tests::http::{connect, Request};
use service_tests::test_server::TestServer;
use support::{slow_reader, ORDERS};

const SIZE: usize = 1_000_000;

fn echo(address: &str) -> Vec<u8> {
    Request::new("POST", "/echo")
        .with_body(&"x".repeat(SIZE))
        .to_bytes(address)
}

/// Repeats something in the background while an action runs.
fn beside<R>(neighbours: usize, neighbour: impl Fn(&AtomicBool) + Sync, action: impl FnOnce() -> R) -> R {
    let is_over = AtomicBool::new(false);
    let (neighbour, is_over) = (&neighbour, &is_over);
    // Even if the action fails.
    struct End<'end>(&'end AtomicBool);
    impl Drop for End<'_> {
        fn drop(&mut self) {
            self.0.store(true, Ordering::Relaxed);
        }
    }
    thread::scope(|scope| {
        for _ in 0..neighbours {
            scope.spawn(move || {
                while !is_over.load(Ordering::Relaxed) {
                    neighbour(is_over);
                }
            });
        }
        let _end = End(is_over);
        action()
    })
}

/// Requests a list that is larger than the socket buffers of an unread response.
fn ask_for_list(address: &str) -> TcpStream {
    const FIRST: i32 = 1_950_000_000;
    let lines = "\u{1f6a3}".repeat(256);
    let orders: Vec<String> = (FIRST..FIRST + 3_000)
        .map(|id| {
            format!(
                r#"{{"order_id":{id},"product_id":1,"quantity":1,"amount":1,"shipping":0,"tax":0,"shipping_address":"{lines}"}}"#
            )
        })
        .collect();
    let create = Request::new("POST", "/create_orders").with_body(&format!("[{}]", orders.join(",")));
    assert!([200, 409].contains(&create.send(address).unwrap().status));
    let list = Request::new("GET", &format!("/orders?limit=3000&after={}", FIRST - 1));
    let mut stream = slow_reader(address, 4_096);
    stream
        .write_all(&list.header("connection", "close").to_bytes(address))
        .unwrap();
    // It has its memory permit before the others.
    assert!(stream.peek(&mut [0]).unwrap() > 0);
    stream
}

/// Reads the list at so many bytes per second: it must be complete.
fn read_list(rate: usize, stream: &mut TcpStream) {
    let (start, mut answer, mut piece) = (Instant::now(), Vec::new(), vec![0; 64 * 1024]);
    loop {
        let due = (start.elapsed().as_secs_f64() * rate as f64) as usize;
        match due.saturating_sub(answer.len()).min(piece.len()) {
            0 => thread::sleep(Duration::from_millis(10)),
            wanted => match stream.read(&mut piece[..wanted]) {
                Ok(0) | Err(_) => break,
                Ok(bytes) => answer.extend_from_slice(&piece[..bytes]),
            },
        }
    }
    let text = String::from_utf8_lossy(&answer);
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    let orders: Result<Vec<serde_json::Value>, _> = serde_json::from_str(body);
    let message = format!("cut after {:?} and {} bytes", start.elapsed(), answer.len());
    assert_eq!(orders.expect(&message).len(), 3_000);
}

#[test]
fn a_prompt_reader_is_answered_beside_slow_ones() {
    let Some(server) = TestServer::find(&ORDERS, "prompt_readers", &[]) else {
        return;
    };
    let address = server.address.as_str();
    let slow = |is_over: &AtomicBool| {
        let mut stream = slow_reader(address, 4_096);
        // It reads slowly, so that others are refused, or is refused itself.
        let _ = stream.write_all(&echo(address));
        let mut piece = [0; 15_000];
        while !is_over.load(Ordering::Relaxed) && stream.read(&mut piece).is_ok_and(|bytes| bytes > 0) {
            thread::sleep(Duration::from_millis(500));
        }
    };
    let mut list = ask_for_list(address);
    beside(40, slow, || read_list(100_000, &mut list));
}

#[test]
fn a_prompt_sender_is_answered_beside_unfinished_bodies() {
    let server = TestServer::without_database(&ORDERS);
    let address = server.address.as_str();
    // Most of the 24 MiB of the budget for bodies.
    let unfinished = |is_over: &AtomicBool| {
        let length = 1_900_000;
        let mut stream = connect(address).unwrap();
        let head = format!("POST /create_orders HTTP/1.1\r\nhost: a\r\ncontent-length: {length}\r\n\r\n");
        let sent = stream.write_all(&[head.as_bytes(), &vec![b' '; length - 100_000]].concat());
        stream.set_read_timeout(Some(Duration::from_millis(500))).unwrap();
        while sent.is_ok() && !is_over.load(Ordering::Relaxed) {
            match stream.read(&mut [0; 1_000]) {
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
                _ => return,
            }
        }
    };
    let request = echo(address);
    beside(12, unfinished, || {
        thread::sleep(Duration::from_secs(1));
        let start = Instant::now();
        loop {
            let mut stream = connect(address).unwrap();
            // 160 KB per second: 6 s, with a timeout of 10 s.
            let began = Instant::now();
            for (number, piece) in request.chunks(16_000).enumerate() {
                if stream.write_all(piece).is_err() {
                    break;
                }
                let due = Duration::from_millis(100 * (number as u64 + 1));
                thread::sleep(due.saturating_sub(began.elapsed()));
            }
            let mut status = [0; 12];
            let _ = stream.read(&mut status);
            match &status[9..] {
                b"200" => return,
                // There was no memory for it.
                b"503" => {}
                _ => panic!("{}", String::from_utf8_lossy(&status)),
            }
            assert!(start.elapsed() < Duration::from_secs(60), "always busy");
        }
    });
}

/// More connections than the limit: idle ones are evicted, not those that read their response.
#[test]
fn a_prompt_reader_keeps_its_place() {
    let Some(server) = TestServer::find(&ORDERS, "prompt_places", &[]) else {
        return;
    };
    let address = server.address.as_str();
    let come_and_go = |is_over: &AtomicBool| {
        let mut idle: Vec<TcpStream> = Vec::new();
        while !is_over.load(Ordering::Relaxed) {
            idle.extend(connect(address));
            if idle.len() > 800 {
                idle.drain(..400);
            }
            thread::sleep(Duration::from_millis(2));
        }
    };
    let mut list = ask_for_list(address);
    beside(2, come_and_go, || read_list(100_000, &mut list));
}
