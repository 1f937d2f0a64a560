//! No mix of requests, of any size and number, exceeds the memory limit of the pod.
//!
//! A search for the worst mix: each round changes the worst one so far, sends all of its requests and reads no
//! response. `MEMORY_ROUNDS=200 cargo test -p app --test memory -- --nocapture` searches for longer and prints the
//! result. With `ORDERS_URL`, and the number of its process in `SERVICE_PID`, it uses a running service, such as a
//! guest, whose database should be a throwaway.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicI32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use service_tests::await_that;
use service_tests::http::{connect, Request};
use service_tests::test_server::TestServer;
use support::ORDERS;

/// The memory limit of the pod, in KiB.
const LIMIT_KIB: u64 = 128 * 1024;
/// The most clients of a kind in a mix: all kinds together use all connections.
const COUNTS: [usize; 6] = [0, 1, 4, 16, 64, 200];
/// How long the clients of a mix stay connected.
const STAY: Duration = Duration::from_millis(1_500);

/// What a client sends; it never reads.
type Behavior = (&'static str, fn(&mut TcpStream) -> std::io::Result<()>);

const BEHAVIORS: [Behavior; 17] = [
    ("an echo of 1 MiB", |stream| {
        stream.write_all(
            &Request::new("POST", "/echo")
                .with_body(&"x".repeat(1 << 20))
                .to_bytes("a"),
        )
    }),
    ("an echo of 200 KiB", |stream| {
        stream.write_all(
            &Request::new("POST", "/echo")
                .with_body(&"x".repeat(200 << 10))
                .to_bytes("a"),
        )
    }),
    ("10,000 orders without fields", |stream| {
        stream.write_all(&post_many("{}", 10_000))
    }),
    ("4 million numbers", |stream| {
        stream.write_all(&post_many("0", 4_190_000))
    }),
    ("8 MB of brackets", |stream| {
        let body = "[".repeat(8 << 20);
        let request = Request::new("POST", "/create_orders").with_body(&body);
        stream.write_all(&request.to_bytes("a"))
    }),
    ("an address of 8 MB, each character escaped", |stream| {
        let address = "\\u0041".repeat(1_390_000);
        stream.write_all(&post_many(&format!(r#"{{"shipping_address":"{address}"}}"#), 1))
    }),
    ("one order with fields that nobody knows", |stream| {
        let fields: Vec<String> = (0..60_000).map(|number| format!(r#""a{number}":{number}"#)).collect();
        let request = Request::new("POST", "/create_order").with_body(&format!("{{{}}}", fields.join(",")));
        stream.write_all(&request.to_bytes("a"))
    }),
    ("10,000 orders with long addresses", |stream| {
        stream.write_all(&large_batch(next_ids()))
    }),
    ("orders that exist", |stream| stream.write_all(&large_batch(FIRST_ID))),
    ("10,000 orders of a list", |stream| {
        stream.write_all(&Request::new("GET", "/orders?limit=10000").to_bytes("a"))
    }),
    ("200 orders of a list", |stream| {
        stream.write_all(&Request::new("GET", "/orders?limit=200").to_bytes("a"))
    }),
    ("1,000 events", |stream| {
        stream.write_all(&Request::new("GET", "/events?limit=1000").to_bytes("a"))
    }),
    ("metrics", |stream| {
        stream.write_all(&Request::new("GET", "/metrics").to_bytes("a"))
    }),
    ("a body without its end", |stream| {
        stream.write_all(b"POST /create_orders HTTP/1.1\r\nhost: a\r\ncontent-length: 8388608\r\n\r\n")?;
        stream.write_all(&vec![b' '; 7 << 20])
    }),
    ("chunks of one byte", |stream| {
        stream.write_all(b"POST /create_orders HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n")?;
        stream.write_all(&b"1\r\n \r\n".repeat(1 << 20))
    }),
    ("a head without its end", |stream| {
        stream.write_all(b"GET / HTTP/1.1\r\nx: ")?;
        stream.write_all(&[b'a'; 31 << 10])
    }),
    ("90 headers and an unfinished body", |stream| {
        let headers: String = (0..90)
            .map(|number| format!("x-{number}: {}\r\n", "y".repeat(300)))
            .collect();
        stream
            .write_all(format!("POST /echo HTTP/1.1\r\nhost: a\r\ncontent-length: 5000\r\n{headers}\r\n").as_bytes())?;
        stream.write_all(&[b'x'; 4_000])
    }),
];

const FIRST_ID: i32 = 1_800_000_000;
static NEXT_ID: AtomicI32 = AtomicI32::new(FIRST_ID + 10_000);

fn next_ids() -> i32 {
    NEXT_ID.fetch_add(10_000, Ordering::Relaxed)
}

fn post_many(element: &str, count: usize) -> Vec<u8> {
    let mut body = String::from("[");
    for _ in 1..count {
        body.push_str(element);
        body.push(',');
    }
    body.push_str(element);
    body.push(']');
    Request::new("POST", "/create_orders").with_body(&body).to_bytes("a")
}

/// The largest batch.
fn large_batch(first: i32) -> Vec<u8> {
    let address = "\u{1f6a3}".repeat(170);
    let orders: Vec<String> = (first..first + 10_000)
        .map(|id| {
            format!(
                r#"{{"order_id":{id},"product_id":1,"quantity":1,"amount":1,"shipping":1,"tax":1,"shipping_address":"{address}"}}"#
            )
        })
        .collect();
    let body = format!("[{}]", orders.join(","));
    assert!(body.len() <= 8 << 20);
    Request::new("POST", "/create_orders").with_body(&body).to_bytes("a")
}

/// The number of clients with each behavior.
type Mix = [usize; BEHAVIORS.len()];

/// Pseudo-random numbers with a fixed seed.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap() % limit
    }
}

fn changed(mix: &Mix, numbers: &mut Numbers) -> Mix {
    let mut changed = *mix;
    for _ in 0..=numbers.below(3) {
        changed[numbers.below(BEHAVIORS.len())] = COUNTS[numbers.below(COUNTS.len())];
    }
    changed
}

/// Sends all requests of a mix at once, in any order.
fn ask(address: &str, mix: &Mix) {
    let start = Instant::now();
    let clients: Vec<thread::JoinHandle<()>> = mix
        .iter()
        .zip(BEHAVIORS)
        .flat_map(|(count, (_, behavior))| (0..*count).map(move |_| behavior))
        .map(|behavior| {
            let mut stream = connect(address).unwrap();
            stream.set_write_timeout(Some(STAY)).unwrap();
            thread::spawn(move || {
                // The request may be refused, and the connection closed while the client still sends.
                let _ = behavior(&mut stream);
                thread::sleep(STAY.saturating_sub(start.elapsed()));
            })
        })
        .collect();
    for client in clients {
        client.join().unwrap();
    }
}

/// A receiver of events with as many events as a client may request.
fn chatty_receiver() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/events", listener.local_addr().unwrap());
    thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            thread::spawn(move || {
                let body = "x".repeat(1 << 20);
                while stream.read(&mut [0; 4_096]).is_ok_and(|bytes| bytes > 0) {
                    let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len());
                    if stream.write_all(&[head.as_bytes(), body.as_bytes()].concat()).is_err() {
                        return;
                    }
                }
            });
        }
    });
    url
}

#[test]
fn no_mix_of_requests_exceeds_the_memory() {
    let rounds = std::env::var("MEMORY_ROUNDS").map_or(8, |rounds| rounds.parse().unwrap());
    let events = chatty_receiver();
    let Some(place) = TestServer::find(&ORDERS, "memory", &[("EVENTS_URL", &events)]) else {
        return;
    };
    let address = place.address.as_str();
    let mut first = connect(address).unwrap();
    first.write_all(&large_batch(FIRST_ID)).unwrap();
    let _ = first.read(&mut [0; 100]).unwrap();

    let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15);
    // A few clients of each kind at first.
    let mut worst: Mix = [4; BEHAVIORS.len()];
    let mut peak = 0;
    for round in 0..rounds {
        let mix = if round == 0 {
            worst
        } else {
            changed(&worst, &mut numbers)
        };
        ask(address, &mix);
        await_that("it serves again", || {
            Request::new("GET", "/healthz")
                .send(address)
                .is_ok_and(|answer| answer.status == 200)
        });
        let now = place.peak_memory_kib().unwrap_or_default();
        // The peak memory of a process only grows: a mix that makes it grow is the worst so far.
        if now > peak {
            (peak, worst) = (now, mix);
            let counts: Vec<String> = mix
                .iter()
                .zip(BEHAVIORS)
                .map(|(count, (name, _))| format!("{count} x {name}"))
                .collect();
            println!("round {round}: {} MiB by {}", peak / 1024, counts.join(", "));
        }
        assert!(peak < LIMIT_KIB, "{} MiB", peak / 1024);
    }
}
