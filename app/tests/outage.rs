//! The database away: absent, hung, restarted, full. What clients see, and that all recovers.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use service_tests::await_that;
use service_tests::database::Database;
use service_tests::http::{Request, Response};
use service_tests::twin::Twin;
use support::start_twin;

/// More than the five seconds after which the database is given up, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(12);

fn create(id: i32) -> Request {
    let order = format!(
        r#"{{"order_id":{id},"product_id":1,"quantity":1,"amount":1,"shipping":1,"tax":1,"shipping_address":"x"}}"#
    );
    Request::new("POST", "/create_order").with_body(&order)
}

/// The database cannot be used: every data route says so in time, and health stays.
fn check_away(twin: &Twin) {
    for request in [
        Request::new("GET", "/orders"),
        Request::new("GET", "/readyz"),
        Request::new("GET", "/init"),
        create(1),
    ] {
        let start = Instant::now();
        let response = twin.send(&request);
        let took = start.elapsed();
        assert!(took < PATIENCE, "{request:?} took {took:?}");
        match response.status {
            503 => assert_eq!(response.header("retry-after"), Some("1"), "{response:?}"),
            504 => assert_eq!(response.error_code().as_deref(), Some("timeout")),
            _ => panic!("{request:?}: {response:?}"),
        }
        for secret in ["secret", "SELECT", "127.0.0.1", "mysql"] {
            assert!(!response.body.contains(secret), "{response:?}");
        }
        let start = Instant::now();
        assert_eq!(twin.get("/healthz").status, 200);
        assert!(start.elapsed() < PATIENCE);
    }
}

#[test]
fn a_database_that_comes_later_is_found() {
    let Some(database) = Database::start("outage_absent") else {
        return;
    };
    database.container("stop");
    let twin = start_twin(&database.url("orders"));
    check_away(&twin);
    database.container("start");
    twin.await_ready();
    assert_eq!(twin.send(&create(1)).status, 200);
    assert!(twin.log().iter().all(|line| !line.contains("secret")));
}

#[test]
fn a_hung_database_is_given_up_and_found_again() {
    let Some(database) = Database::start("outage_hung") else {
        return;
    };
    let twin = start_twin(&database.url("orders"));
    twin.await_ready();
    // So that connections lie in the pool.
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| assert_eq!(twin.get("/orders").status, 200));
        }
    });
    database.container("pause");
    check_away(&twin);
    database.container("unpause");
    twin.await_ready();
    await_that("an order can be created", || {
        [200, 409].contains(&twin.send(&create(2)).status)
    });
}

#[test]
fn stale_connections_are_not_noticed_after_a_restart() {
    let Some(database) = Database::start("outage_restart") else {
        return;
    };
    let twin = start_twin(&database.url("orders"));
    twin.await_ready();
    for id in 1..4 {
        thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| assert_eq!(twin.get("/orders").status, 200));
            }
        });
        database.container("restart");
        database.await_ready();
        // Idle for longer than a second, connections are tested before they are used.
        thread::sleep(Duration::from_millis(1_100));
        assert_eq!(twin.send(&create(id)).status, 200);
        assert_eq!(twin.get(&format!("/orders/{id}")).status, 200);
    }
}

#[test]
fn no_write_is_lost_or_doubled_while_the_database_is_killed() {
    const CLIENTS: i32 = 4;
    let Some(database) = Database::start("outage_killed") else {
        return;
    };
    let twin = start_twin(&database.url("orders"));
    twin.await_ready();
    let stop = AtomicBool::new(false);
    let created: i32 = thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS)
            .map(|client| {
                let (twin, stop) = (&twin, &stop);
                scope.spawn(move || {
                    let ids = (1 + client..).step_by(CLIENTS as usize);
                    let mut count = 0;
                    for id in ids.take_while(|_| !stop.load(Ordering::Relaxed)) {
                        create_stubbornly(twin, id);
                        count += 1;
                    }
                    count
                })
            })
            .collect();
        for _ in 0..3 {
            database.container("kill");
            database.container("start");
            database.await_ready();
            twin.await_ready();
            thread::sleep(Duration::from_millis(500));
        }
        stop.store(true, Ordering::Relaxed);
        clients.into_iter().map(|client| client.join().unwrap()).sum()
    });
    let mut stored = 0;
    let mut after = 0;
    loop {
        let page = twin.get(&format!("/orders?limit=10000&after={after}"));
        let orders: Vec<serde_json::Value> = serde_json::from_str(&page.body).unwrap();
        stored += i32::try_from(orders.len()).unwrap();
        match orders.last() {
            Some(last) => after = last["order_id"].as_i64().unwrap(),
            None => break,
        }
    }
    assert_eq!(stored, created);
    assert!(created > CLIENTS, "the clients got too little done: {created}");
}

/// Repeats on 503 and 504 like a sensible client; 409 says that an earlier attempt was done.
fn create_stubbornly(twin: &Twin, id: i32) {
    await_that("the order is stored", || {
        let Response { status, .. } = twin.send(&create(id));
        assert!([200, 409, 503, 504].contains(&status), "{status}");
        [200, 409].contains(&status)
    });
}

#[test]
fn a_database_without_free_connections_is_busy() {
    let Some(database) = Database::start("outage_full") else {
        return;
    };
    let twin = start_twin(&database.url("orders"));
    twin.await_ready();
    database.administer("SET GLOBAL max_connections = 10").unwrap();
    let others: Vec<Twin> = (0..3).map(|_| start_twin(&database.url("orders"))).collect();
    thread::scope(|scope| {
        for twin in others.iter().cycle().take(60) {
            scope.spawn(move || {
                for _ in 0..20 {
                    let response = twin.get("/orders");
                    assert!([200, 503].contains(&response.status), "{response:?}");
                }
            });
        }
    });
    drop(others);
    await_that("the first one works again", || twin.get("/orders").status == 200);
}

#[test]
fn a_read_only_database_refuses_changes_only() {
    let Some(database) = Database::start("outage_read_only") else {
        return;
    };
    let twin = start_twin(&database.url("orders"));
    twin.await_ready();
    database.administer("REVOKE ALL ON *.* FROM 'orders'@'%'").unwrap();
    database.administer("SET GLOBAL read_only = 1").unwrap();
    // Connections that are open keep the privileges they had.
    database.administer("KILL USER orders").unwrap();
    await_that("a new connection is used", || twin.get("/orders").status == 200);
    let refused = twin.send(&create(1));
    assert_eq!(
        refused.error_code().as_deref(),
        Some("database_unavailable"),
        "{refused:?}"
    );
    assert!(refused.body.contains("cannot do this"), "{refused:?}");
    assert_eq!(twin.get("/orders").status, 200);
    database.administer("SET GLOBAL read_only = 0").unwrap();
    assert_eq!(twin.send(&create(1)).status, 200);
}

#[test]
fn a_changed_password_is_told_and_recovers() {
    let Some(database) = Database::start("outage_password") else {
        return;
    };
    let twin = start_twin(&database.url("orders"));
    twin.await_ready();
    database
        .administer("SET PASSWORD FOR 'orders'@'%' = PASSWORD('other')")
        .unwrap();
    database.container("restart");
    await_that("the database lets nobody in", || {
        twin.get("/readyz");
        twin.log().iter().any(|line| line.contains("Access denied"))
    });
    check_away(&twin);
    database
        .administer("SET PASSWORD FOR 'orders'@'%' = PASSWORD('secret')")
        .unwrap();
    twin.await_ready();
    assert!(twin.log().iter().all(|line| !line.contains("secret")));
}

#[test]
fn a_slow_statement_is_given_up() {
    let Some(database) = Database::start("outage_slow") else {
        return;
    };
    let twin = start_twin(&database.url("orders"));
    twin.await_ready();
    assert_eq!(twin.send(&create(1)).status, 200);
    let locker = thread::scope(|scope| {
        let locker =
            scope.spawn(|| database.administer("LOCK TABLES orders.orders WRITE; SELECT SLEEP(9); UNLOCK TABLES"));
        await_that("the table is locked", || {
            let start = Instant::now();
            let response = twin.send(&Request::new("DELETE", "/orders/7"));
            if response.status == 504 {
                assert!(start.elapsed() < PATIENCE);
                assert_eq!(response.error_code().as_deref(), Some("timeout"));
            }
            response.status == 504
        });
        locker.join().unwrap()
    });
    locker.unwrap();
    await_that("the table can be used", || twin.send(&create(8)).status == 200);
}
