//! Events reach the receiver: all of them, in sequence, whatever it does.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use service_tests::{await_that, scaled};
use socket2::{Domain, Socket, Type};

use crate::support::receiver::{Behavior, Receiver};
use crate::{
    count_waiting_events, list_dead_letters, order_json, read_metric, send_request, start_database_and_receiver,
    start_service, start_signing_service, SECRET,
};

#[test]
fn every_change_is_announced_and_nothing_else() {
    let name = "events_changes";
    let Some((database, url, receiver)) = start_database_and_receiver(name) else {
        return;
    };
    let native = start_service(&url, &receiver.url);
    assert_eq!(send_request(&native, "POST", "/create_order", &order_json(1, 1)), 200);
    assert_eq!(send_request(&native, "PUT", "/orders/1", &order_json(1, 2)), 200);
    let several = format!("[{},{}]", order_json(2, 1), order_json(3, 1));
    assert_eq!(send_request(&native, "POST", "/create_orders", &several), 200);
    // None of these changes anything.
    assert_eq!(send_request(&native, "POST", "/orders", &order_json(1, 9)), 409);
    let unchanged = format!("[{},{}]", order_json(4, 1), order_json(3, 1));
    assert_eq!(send_request(&native, "POST", "/create_orders", &unchanged), 409);
    assert_eq!(send_request(&native, "POST", "/update_order", &order_json(9, 1)), 404);
    assert_eq!(send_request(&native, "DELETE", "/orders/9", ""), 404);
    assert_eq!(send_request(&native, "POST", "/create_order", "{}"), 422);
    assert_eq!(send_request(&native, "DELETE", "/delete_order?id=1", ""), 200);

    await_that("all events are delivered", || receiver.distinct().len() >= 5);
    await_that("the outbox is empty", || count_waiting_events(&database, name) == 0);
    assert_eq!(receiver.distinct().len(), 5, "{:?}", receiver.distinct());
    assert_eq!(receiver.kinds_of(1), ["created", "updated", "deleted"]);
    assert_eq!(receiver.kinds_of(2), ["created"]);
    let events = receiver.distinct();
    let last = events.iter().find(|event| event["type"] == "order.deleted").unwrap();
    let mut as_it_was: serde_json::Value = serde_json::from_str(&order_json(1, 2)).unwrap();
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

/// Its sequence number is lower than those of events that were sent before the commit.
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
    let Some((database, url, receiver)) = start_database_and_receiver(name) else {
        return;
    };
    let native = start_service(&url, &receiver.url);
    database.query(name, "CREATE TABLE gate (place INT)");
    std::thread::scope(|scope| {
        let late_transaction = scope.spawn(|| database.query(name, LATE));
        await_that("its event has a number", || {
            database.query(name, NUMBERED).remove(0).take(0) == Some(1)
        });
        // The relay is blocked during its scan.
        receiver.plan_for([1_000], Some(Behavior::Slow));
        let other_orders: Vec<String> = (1_000..1_600).map(|id| order_json(id, 1)).collect();
        let other_orders = format!("[{}]", other_orders.join(","));
        assert_eq!(send_request(&native, "POST", "/create_orders", &other_orders), 200);
        await_that("the first of the others is sent", || {
            !receiver.kinds_of(1_000).is_empty()
        });
        database.query(name, "INSERT INTO gate VALUES (1)");
        late_transaction.join().unwrap();
    });
    assert_eq!(send_request(&native, "PUT", "/orders/1", &order_json(1, 3)), 200);
    await_that("both are delivered", || receiver.kinds_of(1).len() >= 2);
    assert_eq!(receiver.kinds_of(1), ["created", "updated"]);
}

/// One transaction with more events than are read at once, some of which concern an order that changes again.
#[test]
fn many_changes_that_are_committed_late_are_announced_before_what_follows_them() {
    const COLUMNS: &str = "sequence, kind, order_id, product_id, quantity, amount, shipping, tax, shipping_address";
    let name = "events_many_late";
    let Some((database, url, receiver)) = start_database_and_receiver(name) else {
        return;
    };
    receiver.sign_responses(SECRET);
    let native = start_signing_service(&url, &receiver.url);
    native.await_ready();
    let insert = |values: &str| {
        let statement = format!("INSERT INTO orders_outbox ({COLUMNS}) {values}");
        database.query(name, &statement);
    };
    insert("VALUES (1001, 'created', 5000, 1, 1, 1, 1, 1, 'x')");
    await_that("the first event is delivered", || !receiver.kinds_of(5000).is_empty());
    insert(
        "SELECT seq, IF(seq = 1002, 'updated', 'created'), IF(seq = 1002, 900, seq), 1, 1, 1, 1, 1, 'x' \
         FROM seq_1_to_1002 WHERE seq <= 900 OR seq = 1002",
    );
    await_that("all are delivered", || count_waiting_events(&database, name) == 0);
    assert_eq!(receiver.kinds_of(900), ["created", "updated"]);
    assert_eq!(receiver.distinct().len(), 902);
    let longest = receiver.requests().iter().map(|request| request.events.len()).max();
    assert_eq!(longest, Some(256));
}

#[test]
fn a_dead_receiver_slows_nobody_and_gets_everything_later() {
    let name = "events_dead";
    let Some((database, url, _)) = start_database_and_receiver(name) else {
        return;
    };
    // The port is bound but not listening: connections are refused, and no other program can bind it.
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    let any: SocketAddr = "127.0.0.1:0".parse().unwrap();
    socket.bind(&any.into()).unwrap();
    let address = socket.local_addr().unwrap().as_socket().unwrap();
    let native = start_service(&url, &format!("http://{address}/events"));
    for id in 1..=40 {
        let start = Instant::now();
        assert_eq!(send_request(&native, "POST", "/create_order", &order_json(id, 1)), 200);
        assert_eq!(
            send_request(&native, "PUT", &format!("/orders/{id}"), &order_json(id, 2)),
            200
        );
        assert!(
            start.elapsed() < scaled(Duration::from_secs(4)),
            "{:?}",
            start.elapsed()
        );
    }
    assert_eq!(count_waiting_events(&database, name), 80);
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
    await_that("all events are delivered", || {
        count_waiting_events(&database, name) == 0
    });
    for id in 1..=40 {
        assert_eq!(receiver.kinds_of(id), ["created", "updated"], "{id}");
    }
}

#[test]
fn a_receiver_that_fails_gets_events_again_in_their_order() {
    let name = "events_failing";
    let Some((database, url, receiver)) = start_database_and_receiver(name) else {
        return;
    };
    receiver.plan(
        &[
            Behavior::Respond(500),
            Behavior::Close,
            Behavior::Respond(429),
            Behavior::Respond(404),
            Behavior::Respond(200),
            Behavior::Close,
        ],
        None,
    );
    let native = start_service(&url, &receiver.url);
    assert_eq!(send_request(&native, "POST", "/create_order", &order_json(5, 1)), 200);
    for quantity in 2..=6 {
        assert_eq!(send_request(&native, "PUT", "/orders/5", &order_json(5, quantity)), 200);
    }
    assert_eq!(send_request(&native, "DELETE", "/orders/5", ""), 204);
    await_that("all events are delivered", || {
        count_waiting_events(&database, name) == 0
    });
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
    let Some((database, url, receiver)) = start_database_and_receiver(name) else {
        return;
    };
    receiver.plan(&[], Some(Behavior::Hang));
    let native = start_service(&url, &receiver.url);
    for id in 1..=20 {
        let start = Instant::now();
        assert_eq!(send_request(&native, "POST", "/create_order", &order_json(id, 1)), 200);
        assert!(
            start.elapsed() < scaled(Duration::from_secs(4)),
            "{:?}",
            start.elapsed()
        );
    }
    await_that("an event is under way", || !receiver.events().is_empty());
    assert_eq!(count_waiting_events(&database, name), 20);
    receiver.plan(&[], None);
    await_that("all events are delivered", || {
        count_waiting_events(&database, name) == 0
    });
    assert_eq!(receiver.distinct().len(), 20);
}

/// The rate does not depend on the size of the backlog.
#[test]
fn a_backlog_drains_at_its_usual_rate() {
    let name = "events_backlog";
    let Some((database, url, receiver)) = start_database_and_receiver(name) else {
        return;
    };
    receiver.sign_responses(SECRET);
    drop(start_service(&url, &receiver.url));
    for _ in 0..2 {
        let rows = "INSERT INTO orders_outbox (kind, order_id, product_id, quantity, amount, shipping, tax, shipping_address) \
            SELECT 'created', 1500000000 + seq, 1, 1, 1, 1, 1, REPEAT('x', 100) FROM seq_1_to_100000";
        database.query(name, rows);
    }
    let native = start_signing_service(&url, &receiver.url);
    await_that("some are delivered", || receiver.events().len() > 20_000);
    await_that("the figure is about right", || {
        read_metric(&native, "orders_events_waiting").is_some_and(|waiting| (10_000..200_000).contains(&waiting))
    });
    drop(native);
    // Only events that were being sent when it was killed are sent again.
    let delivered = receiver.events().len();
    let left = usize::try_from(count_waiting_events(&database, name)).unwrap();
    assert!(
        (200_000..=200_000 + 512).contains(&(delivered + left)),
        "{delivered} + {left}"
    );
}

/// A response without a valid signature is not an acceptance.
#[test]
fn only_who_knows_the_secret_is_believed() {
    let name = "events_secret";
    let Some((database, url, receiver)) = start_database_and_receiver(name) else {
        return;
    };
    let native = start_signing_service(&url, &receiver.url);
    native.await_ready();
    for id in 1..=3 {
        assert_eq!(send_request(&native, "POST", "/create_order", &order_json(id, 1)), 200);
    }
    await_that("it was tried", || receiver.events().len() > 3);
    assert_eq!(count_waiting_events(&database, name), 3);
    native.await_logged("does not share its secret");
    receiver.sign_responses("another secret of one");
    let tried = receiver.events().len();
    // The receiver does not respond to requests with another secret.
    await_that("it was tried again", || receiver.events().len() > tried);
    assert_eq!(count_waiting_events(&database, name), 3);
    receiver.sign_responses(SECRET);
    await_that("all are delivered", || count_waiting_events(&database, name) == 0);
    assert_eq!(list_dead_letters(&native).len(), 0);
}
