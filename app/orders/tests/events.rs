//! Events: every committed change is announced, at least once, in order for each order, and no client
//! waits for the receiver.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use service_tests::database::Database;
use service_tests::http::Request;
use service_tests::twin::Twin;
use service_tests::{await_that, scaled};
use socket2::{Domain, Socket, Type};
use support::receiver::{Deed, Receiver};
use support::{start_twin, ORDERS};

/// A database of this name, a receiver, and the URL of the database.
fn parts(name: &str) -> Option<(Arc<Database>, String, Receiver)> {
    let database = Database::shared(name)?;
    let url = database.create(name);
    Some((database, url, Receiver::start()))
}

fn twin(database_url: &str, events_url: &str) -> Twin {
    let twin = Twin::start(&ORDERS, &[("DATABASE_URL", database_url), ("EVENTS_URL", events_url)]);
    twin.await_ready();
    twin
}

fn order(id: i32, quantity: i32) -> String {
    format!(
        r#"{{"order_id":{id},"product_id":1,"quantity":{quantity},"amount":56.5,"shipping":1,"tax":0.01,"shipping_address":"Süd \"7\""}}"#
    )
}

fn send(twin: &Twin, method: &str, target: &str, body: &str) -> u16 {
    twin.send(&Request::new(method, target).with_body(body)).status
}

fn waiting(database: &Database, name: &str) -> i64 {
    database
        .query(name, "SELECT COUNT(*) FROM orders_outbox")
        .remove(0)
        .take(0)
        .unwrap()
}

#[test]
fn every_change_is_announced_and_nothing_else() {
    let name = "events_changes";
    let Some((database, url, receiver)) = parts(name) else {
        return;
    };
    let twin = twin(&url, &receiver.url);
    assert_eq!(send(&twin, "POST", "/create_order", &order(1, 1)), 200);
    assert_eq!(send(&twin, "PUT", "/orders/1", &order(1, 2)), 200);
    let several = format!("[{},{}]", order(2, 1), order(3, 1));
    assert_eq!(send(&twin, "POST", "/create_orders", &several), 200);
    // None of these changes anything.
    assert_eq!(send(&twin, "POST", "/orders", &order(1, 9)), 409);
    let none = format!("[{},{}]", order(4, 1), order(3, 1));
    assert_eq!(send(&twin, "POST", "/create_orders", &none), 409);
    assert_eq!(send(&twin, "POST", "/update_order", &order(9, 1)), 404);
    assert_eq!(send(&twin, "DELETE", "/orders/9", ""), 404);
    assert_eq!(send(&twin, "POST", "/create_order", "{}"), 422);
    assert_eq!(send(&twin, "DELETE", "/delete_order?id=1", ""), 200);

    await_that("all events are delivered", || receiver.distinct().len() >= 5);
    await_that("the outbox is empty", || waiting(&database, name) == 0);
    assert_eq!(receiver.distinct().len(), 5, "{:?}", receiver.distinct());
    assert_eq!(receiver.kinds_of(1), ["created", "updated", "deleted"]);
    assert_eq!(receiver.kinds_of(2), ["created"]);
    let events = receiver.distinct();
    let last = events.iter().find(|event| event["type"] == "order.deleted").unwrap();
    let mut as_it_was: serde_json::Value = serde_json::from_str(&order(1, 2)).unwrap();
    as_it_was["shipping"] = 1.0.into();
    assert_eq!(last["data"], as_it_was);
    assert_eq!(last["specversion"], "1.0");
    assert_eq!(last["source"], "/orders");
    let time = last["time"].as_str().unwrap();
    assert!(time.len() == 27 && time.ends_with('Z'), "{time}");
    await_that("the metrics say so", || {
        let metrics = twin.get("/metrics").body;
        metrics.contains("\norders_events_delivered_total 5\n") && metrics.contains("\norders_events_waiting 0\n")
    });
}

#[test]
fn a_dead_receiver_slows_nobody_and_gets_everything_later() {
    let name = "events_dead";
    let Some((database, url, _)) = parts(name) else {
        return;
    };
    // Its port is taken, and nobody listens there: connections are refused, and no other program gets it meanwhile.
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    let any: SocketAddr = "127.0.0.1:0".parse().unwrap();
    socket.bind(&any.into()).unwrap();
    let address = socket.local_addr().unwrap().as_socket().unwrap();
    let twin = twin(&url, &format!("http://{address}/events"));
    for id in 1..=40 {
        let start = Instant::now();
        assert_eq!(send(&twin, "POST", "/create_order", &order(id, 1)), 200);
        assert_eq!(send(&twin, "PUT", &format!("/orders/{id}"), &order(id, 2)), 200);
        assert!(
            start.elapsed() < scaled(Duration::from_secs(4)),
            "{:?}",
            start.elapsed()
        );
    }
    assert_eq!(waiting(&database, name), 80);
    await_that("the metrics tell what waits", || {
        twin.get("/metrics").body.contains("\norders_events_waiting 80\n")
    });
    assert_eq!(twin.get("/events").error_code().as_deref(), Some("events_unavailable"));
    assert_eq!(twin.get("/readyz").status, 200);

    socket.listen(16).unwrap();
    let receiver = Receiver::start_on(socket.into());
    await_that("all events are delivered", || waiting(&database, name) == 0);
    for id in 1..=40 {
        assert_eq!(receiver.kinds_of(id), ["created", "updated"], "{id}");
    }
}

#[test]
fn a_receiver_that_fails_gets_events_again_in_their_order() {
    let name = "events_failing";
    let Some((database, url, receiver)) = parts(name) else {
        return;
    };
    receiver.plan(
        &[
            Deed::Answer(500),
            Deed::Close,
            Deed::Answer(429),
            Deed::Answer(404),
            Deed::Answer(200),
            Deed::Close,
        ],
        None,
    );
    let twin = twin(&url, &receiver.url);
    assert_eq!(send(&twin, "POST", "/create_order", &order(5, 1)), 200);
    for quantity in 2..=6 {
        assert_eq!(send(&twin, "PUT", "/orders/5", &order(5, quantity)), 200);
    }
    assert_eq!(send(&twin, "DELETE", "/orders/5", ""), 204);
    await_that("all events are delivered", || waiting(&database, name) == 0);
    let quantities: Vec<i64> = receiver
        .distinct()
        .iter()
        .map(|event| event["data"]["quantity"].as_i64().unwrap())
        .collect();
    assert_eq!(quantities, [1, 2, 3, 4, 5, 6, 6]);
    assert!(receiver.events().len() > 7, "{}", receiver.events().len());
}

#[test]
fn a_receiver_that_hangs_slows_nobody() {
    let name = "events_hanging";
    let Some((database, url, receiver)) = parts(name) else {
        return;
    };
    receiver.plan(&[], Some(Deed::Hang));
    let twin = twin(&url, &receiver.url);
    for id in 1..=20 {
        let start = Instant::now();
        assert_eq!(send(&twin, "POST", "/create_order", &order(id, 1)), 200);
        assert!(
            start.elapsed() < scaled(Duration::from_secs(4)),
            "{:?}",
            start.elapsed()
        );
    }
    await_that("an event is under way", || !receiver.events().is_empty());
    assert_eq!(waiting(&database, name), 20);
    receiver.plan(&[], None);
    await_that("all events are delivered", || waiting(&database, name) == 0);
    assert_eq!(receiver.distinct().len(), 20);
}

#[test]
fn another_replica_goes_on_when_one_dies() {
    const ORDERS: i32 = 60;
    let name = "events_replicas";
    let Some((database, url, receiver)) = parts(name) else {
        return;
    };
    let mut twins: Vec<Twin> = (0..3).map(|_| twin(&url, &receiver.url)).collect();
    receiver.plan(&[], Some(Deed::Answer(503)));
    for id in 1..=ORDERS {
        for (quantity, twin) in twins.iter().enumerate() {
            let body = order(id, i32::try_from(quantity).unwrap() + 1);
            let (method, target) = match quantity {
                0 => ("POST", "/orders".to_owned()),
                _ => ("PUT", format!("/orders/{id}")),
            };
            assert!([200, 201].contains(&send(twin, method, &target, &body)));
        }
    }
    receiver.plan(&[], None);
    // One after the other, so that the one with the outbox is among them.
    while twins.len() > 1 {
        drop(twins.remove(0));
        await_that("somebody delivers", || {
            waiting(&database, name) == 0 || !receiver.distinct().is_empty()
        });
    }
    await_that("all events are delivered", || waiting(&database, name) == 0);
    for id in 1..=ORDERS {
        let quantities: Vec<i64> = receiver
            .distinct()
            .iter()
            .filter(|event| event["subject"].as_str() == Some(id.to_string().as_str()))
            .map(|event| event["data"]["quantity"].as_i64().unwrap())
            .collect();
        assert_eq!(quantities, [1, 2, 3], "order {id}");
    }
}

#[test]
fn events_outlive_the_database_and_the_service() {
    let Some(database) = Database::start("events_outage") else {
        return;
    };
    let url = database.url("orders");
    let receiver = Receiver::start();
    receiver.plan(&[], Some(Deed::Answer(500)));
    let first = twin(&url, &receiver.url);
    assert_eq!(send(&first, "POST", "/create_order", &order(1, 1)), 200);
    await_that("it was tried", || !receiver.events().is_empty());
    database.container("kill");
    database.container("start");
    database.await_ready();
    first.await_ready();
    await_that("another order is stored", || {
        [200, 409].contains(&send(&first, "POST", "/create_order", &order(2, 1)))
    });
    drop(first);
    receiver.plan(&[], None);
    let _second = twin(&url, &receiver.url);
    await_that("all events are delivered", || waiting(&database, "orders") == 0);
    assert_eq!(receiver.kinds_of(1), ["created"]);
    assert_eq!(receiver.kinds_of(2), ["created"]);
}

#[test]
fn without_a_receiver_nothing_is_kept_for_it() {
    let name = "events_none";
    let Some((database, url, receiver)) = parts(name) else {
        return;
    };
    let without = start_twin(&url);
    without.await_ready();
    assert_eq!(send(&without, "POST", "/create_order", &order(1, 1)), 200);
    assert_eq!(without.get("/events").error_code().as_deref(), Some("not_found"));
    assert!(database.query(name, "SHOW TABLES LIKE 'orders_outbox'").is_empty());
    // A replica that announces, beside one that does not, as during a rollout.
    let with = twin(&url, &receiver.url);
    assert_eq!(send(&without, "POST", "/create_order", &order(2, 1)), 200);
    assert_eq!(send(&with, "POST", "/create_order", &order(3, 1)), 200);
    await_that("its change is announced", || receiver.kinds_of(3) == ["created"]);
    await_that("the outbox is empty", || waiting(&database, name) == 0);
    assert_eq!(receiver.distinct().len(), 1);
}

#[test]
fn a_database_that_forbids_triggers_is_told_apart() {
    let name = "events_forbidden";
    let Some((database, url, receiver)) = parts(name) else {
        return;
    };
    let user = "CREATE USER events_forbidden IDENTIFIED BY 'secret'; \
        GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, ALTER ON events_forbidden.* TO events_forbidden";
    database.administer(user).unwrap();
    let url = url.replace("orders:secret@", "events_forbidden:secret@");
    let twin = Twin::start(
        &ORDERS,
        &[("DATABASE_URL", url.as_str()), ("EVENTS_URL", receiver.url.as_str())],
    );
    await_that("the reason is told", || {
        twin.get("/readyz").body.contains("grant TRIGGER")
    });
    database
        .administer("GRANT TRIGGER ON events_forbidden.* TO events_forbidden")
        .unwrap();
    await_that("asking again helps", || twin.get("/init").status == 200);
    assert_eq!(twin.get("/readyz").status, 200);
}
