//! Whoever reads and sends promptly is never cut off, whatever its neighbours behind the same address do.
//!
//! All clients here have one address, as those behind a node's port, a proxy or a network's router. Being refused with 503
//! before anything else is no cut: the service has not begun.

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

/// Does something on and on beside a deed.
fn beside<R>(neighbours: usize, neighbour: impl Fn(&AtomicBool) + Sync, deed: impl FnOnce() -> R) -> R {
    let is_over = AtomicBool::new(false);
    let (neighbour, is_over) = (&neighbour, &is_over);
    thread::scope(|scope| {
        for _ in 0..neighbours {
            scope.spawn(move || {
                while !is_over.load(Ordering::Relaxed) {
                    neighbour(is_over);
                }
            });
        }
        let done = deed();
        is_over.store(true, Ordering::Relaxed);
        done
    })
}

/// Reads an answer at so many bytes a second: all of it, or as much as came.
fn read_at(rate: usize, stream: &mut TcpStream) -> Vec<u8> {
    let (start, mut answer, mut piece) = (Instant::now(), Vec::new(), vec![0; 16 * 1024]);
    loop {
        let due = (start.elapsed().as_secs_f64() * rate as f64) as usize;
        match due.saturating_sub(answer.len()).min(piece.len()) {
            0 => thread::sleep(Duration::from_millis(10)),
            wanted => match stream.read(&mut piece[..wanted]) {
                Ok(0) | Err(_) => return answer,
                Ok(bytes) => answer.extend_from_slice(&piece[..bytes]),
            },
        }
    }
}

/// Reads an answer of the whole size at a rate, however often the service is busy before.
fn read_whole_answer(address: &str, rate: usize) {
    let start = Instant::now();
    loop {
        let mut stream = slow_reader(address, 16 * 1024);
        let request = Request::new("POST", "/echo")
            .with_body(&"x".repeat(SIZE))
            .header("connection", "close");
        stream.write_all(&request.to_bytes(address)).unwrap();
        let answer = read_at(rate, &mut stream);
        let text = String::from_utf8_lossy(&answer[..answer.len().min(2_000)]).into_owned();
        if text.starts_with("HTTP/1.1 200") {
            let body = answer.len() - text.find("\r\n\r\n").unwrap() - 4;
            assert_eq!(body, SIZE, "cut after {:?}", start.elapsed());
            return;
        }
        assert!(text.starts_with("HTTP/1.1 503"), "{text}");
        assert!(start.elapsed() < Duration::from_secs(60), "always busy");
        thread::sleep(Duration::from_millis(200));
    }
}

#[test]
fn a_prompt_reader_is_answered_beside_slow_ones() {
    let place = TestServer::without_database(&ORDERS);
    let address = place.address.as_str();
    let slow = |is_over: &AtomicBool| {
        let mut stream = slow_reader(address, 4_096);
        // It is refused, or takes a little at a time, so that others are refused.
        let _ = stream.write_all(&echo(address));
        let mut piece = [0; 15_000];
        while !is_over.load(Ordering::Relaxed) && stream.read(&mut piece).is_ok_and(|bytes| bytes > 0) {
            thread::sleep(Duration::from_millis(500));
        }
    };
    beside(40, slow, || {
        thread::sleep(Duration::from_secs(2));
        for _ in 0..2 {
            read_whole_answer(address, 100_000);
        }
    });
}

#[test]
fn a_prompt_sender_is_answered_beside_unfinished_bodies() {
    let place = TestServer::without_database(&ORDERS);
    let address = place.address.as_str();
    let unfinished = |is_over: &AtomicBool| {
        let mut stream = connect(address).unwrap();
        let head = b"POST /create_orders HTTP/1.1\r\nhost: a\r\ncontent-length: 8388608\r\n\r\n";
        let sent = stream.write_all(&[&head[..], &[b' '; 7 << 20]].concat());
        stream.set_read_timeout(Some(Duration::from_millis(500))).unwrap();
        while sent.is_ok() && !is_over.load(Ordering::Relaxed) {
            match stream.read(&mut [0; 1_000]) {
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
                _ => return,
            }
        }
    };
    let request = echo(address);
    beside(6, unfinished, || {
        thread::sleep(Duration::from_secs(1));
        let start = Instant::now();
        loop {
            let mut stream = connect(address).unwrap();
            // 160 KB a second: 6 s, of 10 that it has.
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
                // There was no room for it.
                b"503" => {}
                _ => panic!("{}", String::from_utf8_lossy(&status)),
            }
            assert!(start.elapsed() < Duration::from_secs(60), "always busy");
        }
    });
}

/// More connections than there are: who asks for nothing makes room, not who takes its answer.
#[test]
fn a_prompt_reader_keeps_its_place() {
    let place = TestServer::without_database(&ORDERS);
    let address = place.address.as_str();
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
    beside(2, come_and_go, || read_whole_answer(address, 120_000));
}
