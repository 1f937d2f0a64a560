//! Events: every committed change is announced, at least once, in order for each order, and no client
//! waits for the receiver.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use service_tests::database::Database;
use service_tests::http::Request;
use service_tests::native_process::NativeProcess;
use service_tests::{await_that, scaled};
use socket2::{Domain, Socket, Type};
use support::receiver::{Behavior, Receiver};
use support::{start_native, ORDERS};

/// A database of this name, a receiver, and the URL of the database.
fn parts(name: &str) -> Option<(Arc<Database>, String, Receiver)> {
    let database = Database::shared(name)?;
    let url = database.create(name);
    Some((database, url, Receiver::start()))
}

fn native(database_url: &str, events_url: &str) -> NativeProcess {
    let native = NativeProcess::start(&ORDERS, &[("DATABASE_URL", database_url), ("EVENTS_URL", events_url)]);
    native.await_ready();
    native
}

fn order(id: i32, quantity: i32) -> String {
    format!(
        r#"{{"order_id":{id},"product_id":1,"quantity":{quantity},"amount":56.5,"shipping":1,"tax":0.01,"shipping_address":"Süd \"7\""}}"#
    )
}

fn send(native: &NativeProcess, method: &str, target: &str, body: &str) -> u16 {
    native.send(&Request::new(method, target).with_body(body)).status
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
    let native = native(&url, &receiver.url);
    assert_eq!(send(&native, "POST", "/create_order", &order(1, 1)), 200);
    assert_eq!(send(&native, "PUT", "/orders/1", &order(1, 2)), 200);
    let several = format!("[{},{}]", order(2, 1), order(3, 1));
    assert_eq!(send(&native, "POST", "/create_orders", &several), 200);
    // None of these changes anything.
    assert_eq!(send(&native, "POST", "/orders", &order(1, 9)), 409);
    let none = format!("[{},{}]", order(4, 1), order(3, 1));
    assert_eq!(send(&native, "POST", "/create_orders", &none), 409);
    assert_eq!(send(&native, "POST", "/update_order", &order(9, 1)), 404);
    assert_eq!(send(&native, "DELETE", "/orders/9", ""), 404);
    assert_eq!(send(&native, "POST", "/create_order", "{}"), 422);
    assert_eq!(send(&native, "DELETE", "/delete_order?id=1", ""), 200);

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
        let metrics = native.get("/metrics").body;
        metrics.contains("\norders_events_delivered_total 5\n") && metrics.contains("\norders_events_waiting 0\n")
    });
}

/// Its number is lower than those of events that were sent meanwhile.
#[test]
fn a_change_that_is_committed_late_is_announced_before_what_follows_it() {
    const LATE: &str = "BEGIN NOT ATOMIC \
        DECLARE is_open INT DEFAULT 0; \
        SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED; \
        SET @announce_orders = 1; \
        START TRANSACTION; \
        INSERT INTO orders (order_id, product_id, quantity, amount, shipping, tax, shipping_address) \
            VALUES (1, 12, 2, 56, 15, 2, 'Mataderos 2312'); \
        WHILE is_open = 0 DO DO SLEEP(0.02); SELECT COUNT(*) INTO is_open FROM gate; END WHILE; \
        COMMIT; END";
    const NUMBERED: &str = "BEGIN NOT ATOMIC SET SESSION TRANSACTION ISOLATION LEVEL READ UNCOMMITTED; \
        SELECT COUNT(*) FROM orders_outbox WHERE order_id = 1; END";
    let name = "events_late";
    let Some((database, url, receiver)) = parts(name) else {
        return;
    };
    let native = native(&url, &receiver.url);
    database.query(name, "CREATE TABLE gate (place INT)");
    std::thread::scope(|scope| {
        let late = scope.spawn(|| database.query(name, LATE));
        await_that("its event has a number", || {
            database.query(name, NUMBERED).remove(0).take(0) == Some(1)
        });
        // The relay is held up in the midst of its walk.
        receiver.plan_for([1_000], Some(Behavior::Slow));
        let others: Vec<String> = (1_000..1_600).map(|id| order(id, 1)).collect();
        let others = format!("[{}]", others.join(","));
        assert_eq!(send(&native, "POST", "/create_orders", &others), 200);
        await_that("the first of the others is sent", || {
            !receiver.kinds_of(1_000).is_empty()
        });
        database.query(name, "INSERT INTO gate VALUES (1)");
        late.join().unwrap();
    });
    assert_eq!(send(&native, "PUT", "/orders/1", &order(1, 3)), 200);
    await_that("both are delivered", || receiver.kinds_of(1).len() >= 2);
    assert_eq!(receiver.kinds_of(1), ["created", "updated"]);
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
    let native = native(&url, &format!("http://{address}/events"));
    for id in 1..=40 {
        let start = Instant::now();
        assert_eq!(send(&native, "POST", "/create_order", &order(id, 1)), 200);
        assert_eq!(send(&native, "PUT", &format!("/orders/{id}"), &order(id, 2)), 200);
        assert!(
            start.elapsed() < scaled(Duration::from_secs(4)),
            "{:?}",
            start.elapsed()
        );
    }
    assert_eq!(waiting(&database, name), 80);
    await_that("the metrics tell what waits", || {
        native.get("/metrics").body.contains("\norders_events_waiting 80\n")
    });
    assert_eq!(
        native.get("/events").error_code().as_deref(),
        Some("events_unavailable")
    );
    assert_eq!(native.get("/readyz").status, 200);

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
            Behavior::Answer(500),
            Behavior::Close,
            Behavior::Answer(429),
            Behavior::Answer(404),
            Behavior::Answer(200),
            Behavior::Close,
        ],
        None,
    );
    let native = native(&url, &receiver.url);
    assert_eq!(send(&native, "POST", "/create_order", &order(5, 1)), 200);
    for quantity in 2..=6 {
        assert_eq!(send(&native, "PUT", "/orders/5", &order(5, quantity)), 200);
    }
    assert_eq!(send(&native, "DELETE", "/orders/5", ""), 204);
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
    receiver.plan(&[], Some(Behavior::Hang));
    let native = native(&url, &receiver.url);
    for id in 1..=20 {
        let start = Instant::now();
        assert_eq!(send(&native, "POST", "/create_order", &order(id, 1)), 200);
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
    let mut processes: Vec<NativeProcess> = (0..3).map(|_| native(&url, &receiver.url)).collect();
    receiver.plan(&[], Some(Behavior::Answer(503)));
    for id in 1..=ORDERS {
        for (quantity, native) in processes.iter().enumerate() {
            let body = order(id, i32::try_from(quantity).unwrap() + 1);
            let (method, target) = match quantity {
                0 => ("POST", "/orders".to_owned()),
                _ => ("PUT", format!("/orders/{id}")),
            };
            assert!([200, 201].contains(&send(native, method, &target, &body)));
        }
    }
    receiver.plan(&[], None);
    // One after the other, so that the one with the outbox is among them.
    while processes.len() > 1 {
        drop(processes.remove(0));
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
    receiver.plan(&[], Some(Behavior::Answer(500)));
    let first = native(&url, &receiver.url);
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
    let _second = native(&url, &receiver.url);
    await_that("all events are delivered", || waiting(&database, "orders") == 0);
    assert_eq!(receiver.kinds_of(1), ["created"]);
    assert_eq!(receiver.kinds_of(2), ["created"]);
}

/// What could not be removed when it is delivered is not delivered again and again.
#[test]
fn a_database_that_only_reads_keeps_its_events() {
    let Some(database) = Database::start("events_read_only") else {
        return;
    };
    let receiver = Receiver::start();
    receiver.plan(&[], Some(Behavior::Answer(500)));
    let native = native(&database.url("orders"), &receiver.url);
    for id in 1..=3 {
        assert_eq!(send(&native, "POST", "/create_order", &order(id, 1)), 200);
    }
    await_that("they were tried", || receiver.distinct().len() == 3);
    database
        .administer("REVOKE ALL ON *.* FROM 'orders'@'%'; SET GLOBAL read_only = 1; KILL USER orders")
        .unwrap();
    receiver.plan(&[], None);
    await_that("the reason is told", || {
        let log = native.log();
        log.iter().filter(|line| line.contains("events wait")).count() >= 3
    });
    let taken = |receiver: &Receiver| receiver.events().len();
    let before = taken(&receiver);
    let told = |native: &NativeProcess| native.log().iter().filter(|line| line.contains("events wait")).count();
    let enough = told(&native) + 3;
    await_that("it is looked at again", || told(&native) >= enough);
    assert_eq!(taken(&receiver), before, "nothing is sent meanwhile");
    database.administer("SET GLOBAL read_only = 0").unwrap();
    await_that("all are delivered", || waiting(&database, "orders") == 0);
    assert_eq!(receiver.distinct().len(), 3);
}

#[test]
fn without_a_receiver_nothing_is_kept_for_it() {
    let name = "events_none";
    let Some((database, url, receiver)) = parts(name) else {
        return;
    };
    let without = start_native(&url);
    without.await_ready();
    assert_eq!(send(&without, "POST", "/create_order", &order(1, 1)), 200);
    assert_eq!(without.get("/events").error_code().as_deref(), Some("not_found"));
    assert!(database.query(name, "SHOW TABLES LIKE 'orders_outbox'").is_empty());
    // A replica that announces, beside one that does not, as during a rollout.
    let with = native(&url, &receiver.url);
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
    let native = NativeProcess::start(
        &ORDERS,
        &[("DATABASE_URL", url.as_str()), ("EVENTS_URL", receiver.url.as_str())],
    );
    await_that("the reason is told", || {
        native.get("/readyz").body.contains("grant TRIGGER")
    });
    database
        .administer("GRANT TRIGGER ON events_forbidden.* TO events_forbidden")
        .unwrap();
    await_that("asking again helps", || native.get("/init").status == 200);
    assert_eq!(native.get("/readyz").status, 200);
}

fn figure(native: &NativeProcess, name: &str) -> Option<u64> {
    let metrics = native.get("/metrics").body;
    let line = metrics
        .lines()
        .find_map(|line| line.strip_prefix(&format!("{name} ")))?;
    line.parse().ok()
}

fn dead_letters(native: &NativeProcess) -> Vec<serde_json::Value> {
    let answer = native.get("/dead_letters");
    assert_eq!(answer.status, 200, "{answer:?}");
    let json: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
    json["dead_letters"].as_array().unwrap().clone()
}

/// Whatever a receiver does with the events of one order, those of others are delivered.
#[test]
fn an_event_that_is_not_taken_holds_up_its_own_order_alone() {
    for (index, behavior) in [
        Behavior::Answer(422),
        Behavior::Answer(500),
        Behavior::Answer(503),
        Behavior::Answer(404),
        Behavior::Close,
        Behavior::Hang,
    ]
    .into_iter()
    .enumerate()
    {
        let name = format!("events_refused_{index}");
        let Some((_database, url, receiver)) = parts(&name) else {
            return;
        };
        receiver.plan_for([8], Some(behavior));
        let native = native(&url, &receiver.url);
        for id in [8, 16, 24, 17] {
            assert_eq!(send(&native, "POST", "/create_order", &order(id, 1)), 200);
        }
        await_that("the others are delivered", || {
            [16, 24, 17].iter().all(|id| receiver.kinds_of(*id) == ["created"])
        });
        // It goes on, also with what comes later.
        assert_eq!(send(&native, "PUT", "/orders/8", &order(8, 2)), 200);
        for id in 100..110 {
            assert_eq!(send(&native, "POST", "/create_order", &order(id, 1)), 200);
        }
        await_that("later ones are delivered", || {
            (100..110).all(|id| receiver.kinds_of(id) == ["created"])
        });
        assert_eq!(receiver.kinds_of(8), ["created"], "in its order");
    }
}

/// Answers that nobody foresaw: the event counts as taken or not, is not lost, and nothing else waits for it.
#[test]
fn whatever_a_receiver_answers_no_event_is_lost() {
    for (index, (answer, is_taken)) in [
        ("HTTP/1.1 204 No Content\r\n\r\n", true),
        ("HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n", true),
        ("HTTP/1.0 200 OK\r\n\r\nuntil the end", true),
        (
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n",
            true,
        ),
        (
            "HTTP/1.1 301 Moved\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n",
            false,
        ),
        (
            "HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n",
            true,
        ),
        ("HTTP/1.1 205 Reset Content\r\ncontent-length: 0\r\n\r\n", true),
        ("HTTP/1.1 304 Not Modified\r\n\r\n", false),
        (
            "HTTP/1.1 308 Moved\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n",
            false,
        ),
        ("HTTP/1.1 418 Teapot\r\ncontent-length: 0\r\n\r\n", false),
        ("HTTP/1.1 999 Nothing\r\ncontent-length: 0\r\n\r\n", false),
        (
            "HTTP/1.1 503 Away\r\nretry-after: soon\r\ncontent-length: 0\r\n\r\n",
            false,
        ),
        // Longer than it may be.
        ("HTTP/1.1 200 OK\r\ncontent-length: 2000000\r\n\r\n", false),
        (
            "HTTP/1.1 101 Switching Protocols\r\nupgrade: h2c\r\nconnection: upgrade\r\n\r\n",
            false,
        ),
        ("HTTP/1.1 410 Gone\r\ncontent-length: 0\r\n\r\n", false),
        ("HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\n\r\n", false),
        ("HTTP/1.1 504 Late\r\ncontent-length: 0\r\n\r\n", false),
        (
            "HTTP/1.1 429 Often\r\nretry-after: 1\r\ncontent-length: 0\r\n\r\n",
            false,
        ),
        (
            "HTTP/1.1 503 Away\r\nretry-after: Thu, 01 Jan 1970 00:00:00 GMT\r\ncontent-length: 0\r\n\r\n",
            false,
        ),
        // Cut off, or nothing that could be read.
        ("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf", false),
        ("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n", false),
        (
            "HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab",
            false,
        ),
        ("HTTP/1.1 200", false),
        ("HTTP/9.9 200 OK\r\n\r\n", false),
        ("\u{16}\u{3}\u{1}\0", false),
        ("220 mail.example ESMTP\r\n", false),
    ]
    .into_iter()
    .enumerate()
    {
        let name = format!("events_answers_{index}");
        let Some((database, url, receiver)) = parts(&name) else {
            return;
        };
        receiver.plan_for([8], Some(Behavior::Say(answer)));
        let native = native(&url, &receiver.url);
        assert_eq!(send(&native, "POST", "/create_order", &order(8, 1)), 200);
        await_that("it was sent", || !receiver.kinds_of(8).is_empty());
        for id in 16..20 {
            assert_eq!(send(&native, "POST", "/create_order", &order(id, 1)), 200);
        }
        await_that("the others are delivered", || {
            (16..20).all(|id| receiver.kinds_of(id) == ["created"])
        });
        let left = i64::from(!is_taken);
        await_that("what is taken is removed, and nothing else", || {
            waiting(&database, &name) == left
        });
        receiver.plan_for([8], None);
        await_that("all are delivered", || waiting(&database, &name) == 0);
        assert_eq!(dead_letters(&native).len(), 0, "{answer}");
    }
}

/// That it is asked too often is no fault of the event.
#[test]
fn a_receiver_that_asks_for_time_gets_it() {
    let name = "events_often";
    let Some((database, url, receiver)) = parts(name) else {
        return;
    };
    let often = "HTTP/1.1 429 Often\r\nretry-after: 4\r\ncontent-length: 0\r\n\r\n";
    receiver.plan(&[], Some(Behavior::Say(often)));
    let native = native(&url, &receiver.url);
    assert_eq!(send(&native, "POST", "/create_order", &order(1, 1)), 200);
    await_that("it was asked", || !receiver.events().is_empty());
    let first = Instant::now();
    for id in 2..=30 {
        assert_eq!(send(&native, "POST", "/create_order", &order(id, 1)), 200);
    }
    await_that("it was asked again", || receiver.events().len() > 1);
    assert!(first.elapsed() > Duration::from_secs(3), "{:?}", first.elapsed());
    // Every other one from now on, and without saying for how long.
    let often = Behavior::Say("HTTP/1.1 429 Often\r\ncontent-length: 0\r\n\r\n");
    receiver.plan(&[Behavior::Answer(200), often].repeat(8), None);
    await_that("all are delivered", || waiting(&database, name) == 0);
    assert_eq!(receiver.distinct().len(), 30);
    assert_eq!(dead_letters(&native).len(), 0);
    assert_eq!(figure(&native, "orders_events_set_aside_total"), Some(0));

    receiver.plan_for([31], Some(often));
    assert_eq!(send(&native, "POST", "/create_order", &order(31, 1)), 200);
    for id in 32..=40 {
        assert_eq!(send(&native, "POST", "/create_order", &order(id, 1)), 200);
    }
    await_that("one alone is tried again", || {
        let tried = receiver.events();
        tried.iter().filter(|event| event["subject"] == "31").count() >= 3
    });
    await_that("the others are delivered", || waiting(&database, name) == 1);
    let attempts = database
        .query(name, "SELECT MAX(attempts) FROM orders_outbox")
        .remove(0)
        .take::<i64, _>(0);
    assert_eq!(attempts, Some(0), "which counts as no attempt");
}

#[test]
fn refused_events_are_set_aside_shown_and_sent_again() {
    let name = "events_dead_letters";
    let Some((database, url, receiver)) = parts(name) else {
        return;
    };
    receiver.plan_for(2_000..2_400, Some(Behavior::Answer(422)));
    let native = native(&url, &receiver.url);
    let several: Vec<String> = (2_000..2_400).map(|id| order(id, 1)).collect();
    let start = Instant::now();
    assert_eq!(
        send(&native, "POST", "/create_orders", &format!("[{}]", several.join(","))),
        200
    );
    assert_eq!(send(&native, "POST", "/create_order", &order(5_001, 1)), 200);
    await_that("the one behind them is delivered", || {
        receiver.kinds_of(5_001) == ["created"]
    });
    assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
    assert_eq!(send(&native, "PUT", "/orders/2000", &order(2_000, 2)), 200);

    await_that("they are set aside", || dead_letters(&native).len() == 401);
    let letter = &dead_letters(&native)[0];
    assert_eq!(
        (&letter["attempts"], &letter["type"]),
        (&5.into(), &"order.created".into())
    );
    assert!(letter["last_error"].as_str().unwrap().contains("422"), "{letter}");
    assert_eq!(waiting(&database, name), 0);
    await_that("the metrics say so", || {
        figure(&native, "orders_events_dead_letters") == Some(401)
    });
    assert_eq!(figure(&native, "orders_events_set_aside_total"), Some(401));
    assert!(native
        .log()
        .iter()
        .any(|line| line.contains("is set aside after 5 attempts")));

    receiver.plan_for(2_000..2_400, None);
    let id = letter["id"].as_i64().unwrap();
    assert_eq!(send(&native, "POST", &format!("/dead_letters?id={id}"), ""), 200);
    assert_eq!(send(&native, "POST", &format!("/dead_letters?id={id}"), ""), 404);
    let last = dead_letters(&native).last().unwrap()["id"].as_i64().unwrap();
    assert_eq!(send(&native, "DELETE", "/dead_letters", ""), 400);
    assert_eq!(send(&native, "DELETE", &format!("/dead_letters?id={last}"), ""), 200);
    assert_eq!(send(&native, "DELETE", &format!("/dead_letters?id={last}"), ""), 404);
    let before = receiver.events().len();
    let answer = native.send(&Request::new("POST", "/dead_letters"));
    assert!(answer.body.contains(r#""changed":399"#), "{answer:?}");
    await_that("they are delivered", || {
        waiting(&database, name) == 0 && receiver.events().len() >= before + 399
    });
    assert_eq!(dead_letters(&native).len(), 0);
}

/// Rows that a newer version wrote, or somebody else.
#[test]
fn rows_that_nobody_can_read_are_passed_by_and_counted() {
    let name = "events_unreadable";
    let Some((database, url, receiver)) = parts(name) else {
        return;
    };
    let native = native(&url, &receiver.url);
    let rows =
        "INSERT INTO orders_outbox (kind, order_id, product_id, quantity, amount, shipping, tax, shipping_address) \
        SELECT 'replaced', 5, 1, 1, 1, 1, 1, 'x' FROM seq_1_to_700";
    database.query(name, rows);
    assert_eq!(send(&native, "POST", "/create_order", &order(5, 1)), 200);
    await_that("what comes behind is delivered", || receiver.kinds_of(5) == ["created"]);
    await_that("they are counted", || {
        figure(&native, "orders_events_unreadable") == Some(700)
    });
    let told = native
        .log()
        .iter()
        .filter(|line| line.contains("does not know"))
        .count();
    assert_eq!(told, 1);
    assert_eq!(waiting(&database, name), 700, "they are kept");

    // A page of values that no event of ours has, and one that comes behind.
    let odd = "INSERT INTO orders_outbox \
        (kind, order_id, product_id, quantity, amount, shipping, tax, shipping_address, attempts) \
        SELECT 'created', -seq, 0, -1, -1, 1, 1, '', -5 FROM seq_1_to_300";
    database.query(name, odd);
    assert_eq!(send(&native, "POST", "/create_order", &order(6, 1)), 200);
    await_that("what comes behind is delivered", || receiver.kinds_of(6) == ["created"]);
    await_that("and they are", || waiting(&database, name) == 700);
}

/// How much waits makes no difference.
#[test]
fn a_backlog_drains_at_its_usual_rate() {
    let name = "events_backlog";
    let Some((database, url, receiver)) = parts(name) else {
        return;
    };
    let secret = "a secret of sixteen";
    receiver.share(secret);
    let variables = [
        ("DATABASE_URL", url.as_str()),
        ("EVENTS_URL", receiver.url.as_str()),
        ("EVENTS_SECRET", secret),
    ];
    drop(native(&url, &receiver.url));
    for _ in 0..2 {
        let rows = "INSERT INTO orders_outbox (kind, order_id, product_id, quantity, amount, shipping, tax, shipping_address) \
            SELECT 'created', 1500000000 + seq, 1, 1, 1, 1, 1, REPEAT('x', 100) FROM seq_1_to_100000";
        database.query(name, rows);
    }
    let native = NativeProcess::start(&ORDERS, &variables);
    await_that("some are delivered", || receiver.events().len() > 20_000);
    await_that("the figure is about right", || {
        figure(&native, "orders_events_waiting").is_some_and(|waiting| (10_000..200_000).contains(&waiting))
    });
    drop(native);
    // What was under way when it ended is delivered again, no more.
    let delivered = receiver.events().len();
    let left = usize::try_from(waiting(&database, name)).unwrap();
    assert!(
        (200_000..=200_000 + 512).contains(&(delivered + left)),
        "{delivered} + {left}"
    );
}

/// Who answers in the receiver's place has not taken an event.
#[test]
fn only_who_knows_the_secret_is_believed() {
    let name = "events_secret";
    let Some((database, url, receiver)) = parts(name) else {
        return;
    };
    let secret = "a secret of sixteen";
    let variables = [
        ("DATABASE_URL", url.as_str()),
        ("EVENTS_URL", receiver.url.as_str()),
        ("EVENTS_SECRET", secret),
    ];
    let native = NativeProcess::start(&ORDERS, &variables);
    native.await_ready();
    for id in 1..=3 {
        assert_eq!(send(&native, "POST", "/create_order", &order(id, 1)), 200);
    }
    await_that("it was tried", || receiver.events().len() > 3);
    assert_eq!(waiting(&database, name), 3);
    assert!(native
        .log()
        .iter()
        .any(|line| line.contains("does not share its secret")));
    receiver.share("another secret of one");
    let tried = receiver.events().len();
    // Its requests are not for this one either: it does not answer at all.
    await_that("it was tried again", || receiver.events().len() > tried);
    assert_eq!(waiting(&database, name), 3);
    receiver.share(secret);
    await_that("all are delivered", || waiting(&database, name) == 0);
    assert_eq!(dead_letters(&native).len(), 0);
}
