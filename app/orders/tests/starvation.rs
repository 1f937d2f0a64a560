//! Slow or hanging clients and dependencies must not delay other clients.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::io::Write;
use std::net::Shutdown;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use service_tests::database::Database;
use service_tests::http::{connect, read_response, Request};
use service_tests::native_process::NativeProcess;
use service_tests::{await_that, scaled};
use support::{start_native, ORDERS};

const NOWHERE: (&str, &str) = ("DATABASE_URL", "mysql://orders@127.0.0.1:1/orders");

fn order(id: i32) -> String {
    format!(r#"{{"order_id":{id},"product_id":1,"quantity":1,"amount":1,"shipping":0,"tax":0,"shipping_address":"x"}}"#)
}

/// A log that is not read fills the pipe: further lines are dropped and counted, and the number is logged later.
#[test]
fn a_log_that_nobody_reads_stops_nobody() {
    let mut native = NativeProcess::start_unread(&ORDERS, &[NOWHERE]);
    let mut stream = connect(&native.address).unwrap();
    let path = format!("/{}", "a".repeat(10_000));
    let method = "A".repeat(10_000);
    for method in ["GET", &method].into_iter().cycle().take(3_000) {
        let mut answer = None;
        while answer.is_none() {
            let sent = stream.write_all(&Request::new(method, &path).to_bytes("a"));
            answer = sent.and_then(|()| read_response(&mut stream, false)).ok();
            if answer
                .as_ref()
                .is_none_or(|answer| answer.header("connection") == Some("close"))
            {
                stream = connect(&native.address).unwrap();
            }
        }
        assert_eq!(answer.unwrap().status, 404);
    }
    let left_out = |native: &NativeProcess| -> u64 {
        let metrics = native.get("/metrics").body;
        let line = metrics
            .lines()
            .find_map(|line| line.strip_prefix("orders_log_lines_left_out_total "));
        line.unwrap().parse().unwrap()
    };
    assert!(left_out(&native) > 0);
    native.read_log();
    await_that("the log goes on, and tells what is missing", || {
        assert_eq!(native.get("/healthz").status, 200);
        native
            .log()
            .iter()
            .any(|line| line.contains("lines were left out here"))
    });
    for line in native.log() {
        assert!(line.len() < 4_096, "{line}");
        assert!(serde_json::from_str::<serde_json::Value>(&line).is_ok(), "{line}");
    }
}

/// A client that has shut down its sending side still gets its response.
#[test]
fn half_closed_clients_are_answered_by_the_database() {
    let Some(database) = Database::shared("starvation_half") else {
        return;
    };
    let native = start_native(&database.create("starvation_half"));
    native.await_ready();
    for id in 1..=60 {
        let mut stream = connect(&native.address).unwrap();
        let request = Request::new("POST", "/create_order")
            .with_body(&order(id))
            .to_bytes("a");
        stream.write_all(&request).unwrap();
        thread::sleep(Duration::from_micros(u64::try_from(id).unwrap() * 100));
        stream.shutdown(Shutdown::Write).unwrap();
        assert_eq!(read_response(&mut stream, false).unwrap().status, 200, "order {id}");
    }
    for path in ["/orders?limit=1", "/readyz"] {
        let mut stream = connect(&native.address).unwrap();
        stream.write_all(&Request::new("GET", path).to_bytes("a")).unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        assert_eq!(read_response(&mut stream, false).unwrap().status, 200, "{path}");
    }
}

/// Overload of the database: excess requests are refused at once, and readiness checks do not queue.
#[test]
fn readiness_does_not_wait_for_requests() {
    let name = "starvation_ready";
    let Some(database) = Database::shared(name) else {
        return;
    };
    let native = start_native(&database.create(name));
    native.await_ready();
    // Each statement takes half a second: ten connections execute twenty per second.
    database.query(
        name,
        "CREATE TRIGGER slow BEFORE INSERT ON orders FOR EACH ROW SET @a = SLEEP(0.5)",
    );
    let (is_over, refused, done) = (AtomicBool::new(false), AtomicUsize::new(0), AtomicUsize::new(0));
    let slowest = thread::scope(|scope| {
        for client in 0..100 {
            let (native, is_over, refused, done) = (&native, &is_over, &refused, &done);
            scope.spawn(move || {
                let mut id = client * 1_000;
                while !is_over.load(Ordering::Relaxed) {
                    id += 1;
                    let request = Request::new("POST", "/create_order").with_body(&order(id + 1));
                    let start = Instant::now();
                    let answer = native.send(&request);
                    match answer.status {
                        200 => done.fetch_add(1, Ordering::Relaxed),
                        503 => {
                            assert!(answer.header("retry-after").is_some());
                            assert!(
                                start.elapsed() < scaled(Duration::from_secs(4)),
                                "{:?}",
                                start.elapsed()
                            );
                            thread::sleep(Duration::from_millis(100));
                            refused.fetch_add(1, Ordering::Relaxed)
                        }
                        _ => panic!("{answer:?}"),
                    };
                }
            });
        }
        let slowest = (0..20).map(|_| {
            thread::sleep(Duration::from_millis(200));
            let start = Instant::now();
            assert_eq!(native.get("/readyz").status, 200);
            start.elapsed()
        });
        let slowest = slowest.max().unwrap();
        is_over.store(true, Ordering::Relaxed);
        slowest
    });
    assert!(slowest < scaled(Duration::from_secs(2)), "{slowest:?}");
    assert!(done.into_inner() > 20 && refused.into_inner() > 0);
}

/// The host of the receiver of events cannot be resolved, or slowly: only listing events waits for that, and not every
/// request causes a lookup.
#[test]
fn names_that_are_not_answered_stop_nobody() {
    let url = ("EVENTS_URL", "http://nobody.invalid/events");
    let native = NativeProcess::start(&ORDERS, &[NOWHERE, url]);
    let start = Instant::now();
    thread::scope(|scope| {
        for _ in 0..40 {
            scope.spawn(|| {
                let answer = native.get("/events");
                assert_eq!(answer.status, 503, "{answer:?}");
            });
        }
        for _ in 0..20 {
            let started_at = Instant::now();
            assert_eq!(native.get("/healthz").status, 200);
            assert!(
                started_at.elapsed() < scaled(Duration::from_secs(2)),
                "{:?}",
                started_at.elapsed()
            );
        }
    });
    assert!(
        start.elapsed() < scaled(Duration::from_secs(15)),
        "{:?}",
        start.elapsed()
    );
}

/// Concurrent readiness checks share one query.
#[test]
fn readiness_does_not_wait_for_others_that_ask_for_it() {
    let name = "starvation_probes";
    let Some(database) = Database::shared(name) else {
        return;
    };
    let native = start_native(&database.create(name));
    native.await_ready();
    // Each query takes a tenth of a second.
    database.query(name, "RENAME TABLE orders_schema TO kept");
    database.query(
        name,
        "CREATE VIEW orders_schema AS SELECT version FROM kept WHERE SLEEP(0.1) = 0",
    );
    thread::scope(|scope| {
        for _ in 0..200 {
            scope.spawn(|| {
                let answer = native.get("/readyz");
                assert_eq!(answer.status, 200, "{answer:?}");
            });
        }
    });
}

/// Clients that wait for the memory of large lists leave connections for others, such as the kubelet's probe.
#[test]
fn clients_that_wait_for_lists_keep_nobody_out() {
    let Some(database) = Database::start("starvation_lists") else {
        return;
    };
    let native = start_native(&database.url("orders"));
    native.await_ready();
    database.container("pause");
    let started_at = Instant::now();
    let clients: Vec<_> = (0..1_200)
        .map(|_| {
            let mut stream = connect(&native.address).unwrap();
            let list = Request::new("GET", "/orders?limit=10000").to_bytes("a");
            stream.write_all(&list).unwrap();
            stream
        })
        .collect();
    let start = Instant::now();
    assert_eq!(native.get("/healthz").status, 200);
    let (took, all) = (start.elapsed(), started_at.elapsed());
    database.container("unpause");
    drop(clients);
    // Otherwise it would have to wait for the timeout of the first ones, which is five seconds.
    assert!(
        took < scaled(Duration::from_secs(2)) || all > Duration::from_secs(8),
        "{took:?}"
    );
}
