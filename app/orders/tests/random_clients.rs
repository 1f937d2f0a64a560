//! Clients that send random data: requests truncated, mixed, repeated and changed at random, in pieces and with pauses,
//! and connections closed at any moment. The service must keep serving, within its memory limit.
//!
//! `RANDOM_CLIENTS_SECONDS` is the duration (10), `RANDOM_CLIENTS_SEED` repeats a run. `ORDERS_URL` may name a running
//! service, such as the guest; the clients may change its orders, so that alone does not start them.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use service_tests::http::{connect, Request};
use service_tests::test_server::TestServer;
use service_tests::{scaled, skip};
use support::ORDERS;

const CLIENTS: u64 = 12;
/// The pod's memory limit.
const MEMORY_LIMIT_KIB: u64 = 128 * 1024;
/// The timeout of the pod's probes.
const HEALTH_LIMIT: Duration = Duration::from_secs(5);

/// Pseudo-random numbers with a seed: <https://prng.di.unimi.it/splitmix64.c>.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound.max(1) as u64) as usize
    }

    fn one_in(&mut self, count: usize) -> bool {
        self.below(count) == 0
    }

    fn range(&mut self, length: usize) -> std::ops::Range<usize> {
        let start = self.below(length);
        start..start + self.below((length - start).min(100) + 1)
    }
}

/// Valid inputs: the seeds of the fuzzer.
fn seeds() -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fuzz/seeds/request");
    let entries = std::fs::read_dir(folder).unwrap();
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.into_iter().map(|path| std::fs::read(path).unwrap()).collect()
}

/// What a client sends: several seeds, usually changed at random.
fn compose(random: &mut Random, seeds: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for _ in 0..=random.below(3) {
        bytes.extend_from_slice(&seeds[random.below(seeds.len())]);
    }
    for _ in 0..random.below(6) {
        let range = random.range(bytes.len());
        match random.below(6) {
            0 => bytes.truncate(range.start),
            1 => drop(bytes.drain(range)),
            2 => bytes
                .iter_mut()
                .skip(range.start)
                .take(3)
                .for_each(|byte| *byte = random.next() as u8),
            3 => {
                let copy = bytes[range].to_vec();
                let place = random.below(bytes.len());
                bytes.splice(place..place, copy);
            }
            4 => {
                let seed = &seeds[random.below(seeds.len())];
                bytes.splice(range, seed[random.range(seed.len())].to_vec());
            }
            _ => {
                let filling = vec![b"a0 \n\0{"[random.below(6)]; 1 << random.below(18)];
                bytes.splice(range.start..range.start, filling);
            }
        }
    }
    bytes
}

/// A connection from its first byte to its end.
fn visit(random: &mut Random, seeds: &[Vec<u8>], address: &str) {
    let bytes = compose(random, seeds);
    let mut stream = connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(1))).unwrap();
    stream.set_write_timeout(Some(Duration::from_secs(1))).unwrap();
    let mut rest = bytes.as_slice();
    while !rest.is_empty() {
        let length = if random.one_in(3) {
            rest.len()
        } else {
            random.below(rest.len().min(64)) + 1
        };
        let (piece, after) = rest.split_at(length);
        // The service may have closed the connection.
        if stream.write_all(piece).is_err() {
            break;
        }
        rest = after;
        if random.one_in(8) {
            thread::sleep(Duration::from_millis(random.next() % 20));
        }
        if random.one_in(100) {
            break;
        }
    }
    match random.below(4) {
        0 => reset(stream),
        1 => drop(stream),
        _ => {
            let _ = stream.shutdown(Shutdown::Write);
            let mut answers = Vec::new();
            // A reset or the timeout may end it; the bytes so far must be responses.
            let _ = stream.read_to_end(&mut answers);
            assert!(answers.is_empty() || answers.starts_with(b"HTTP/1."), "{bytes:?}");
            assert!(!answers.starts_with(b"HTTP/1.1 500"), "{bytes:?}");
        }
    }
}

/// Closes a connection with a reset (RST).
fn reset(stream: TcpStream) {
    let socket = socket2::Socket::from(stream);
    socket.set_linger(Some(Duration::ZERO)).unwrap();
}

fn variable(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name} must be a number")))
}

#[test]
fn random_clients_end_nothing() {
    let seconds = variable("RANDOM_CLIENTS_SECONDS");
    let place = TestServer::without_database(&ORDERS);
    if !place.is_own && seconds.is_none() {
        skip(
            "random clients",
            "they may change orders; RANDOM_CLIENTS_SECONDS=10 lets them",
        );
        return;
    }
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    let seed = variable("RANDOM_CLIENTS_SEED").unwrap_or(now.as_nanos() as u64);
    println!("RANDOM_CLIENTS_SEED={seed}");

    let (seeds, address) = (seeds(), place.address.as_str());
    let end = Instant::now() + Duration::from_secs(seconds.unwrap_or(10));
    let visits: usize = thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS)
            .map(|client| {
                let seeds = &seeds;
                scope.spawn(move || {
                    let mut random = Random(seed.wrapping_add(client));
                    let mut count = 0;
                    while Instant::now() < end {
                        visit(&mut random, seeds, address);
                        count += 1;
                    }
                    count
                })
            })
            .collect();
        while Instant::now() < end {
            let start = Instant::now();
            assert_eq!(Request::new("GET", "/healthz").send(address).unwrap().status, 200);
            assert!(start.elapsed() < scaled(HEALTH_LIMIT), "{:?}", start.elapsed());
            thread::sleep(Duration::from_millis(100));
        }
        clients.into_iter().map(|client| client.join().unwrap()).sum()
    });
    println!("{visits} connections");
    if let Some(peak) = place.peak_memory_kib() {
        println!("{peak} KiB of memory at most");
        assert!(peak < MEMORY_LIMIT_KIB, "{peak} KiB");
    }
    assert_eq!(Request::new("GET", "/healthz").send(address).unwrap().status, 200);
}
