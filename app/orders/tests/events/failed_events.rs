//! Events that the receiver does not accept: retries, blocked orders, dead letters.

use std::time::{Duration, Instant};

use service_tests::http::Request;
use service_tests::{await_that, scaled};

use crate::support::receiver::Behavior;
use crate::{
    count_waiting_events, list_dead_letters, order_json, read_metric, send_request, start_database_and_receiver,
    start_service,
};

/// Whatever the receiver does with the events of one order, those of others are delivered.
#[test]
fn an_event_that_is_not_taken_holds_up_its_own_order_alone() {
    for (index, behavior) in [
        Behavior::Respond(422),
        Behavior::Respond(500),
        Behavior::Respond(503),
        Behavior::Respond(404),
        Behavior::Close,
        Behavior::Hang,
    ]
    .into_iter()
    .enumerate()
    {
        let name = format!("events_refused_{index}");
        let Some((_database, url, receiver)) = start_database_and_receiver(&name) else {
            return;
        };
        receiver.plan_for([8], Some(behavior));
        let native = start_service(&url, &receiver.url);
        for id in [8, 16, 24, 17] {
            assert_eq!(send_request(&native, "POST", "/create_order", &order_json(id, 1)), 200);
        }
        await_that("the others are delivered", || {
            [16, 24, 17].iter().all(|id| receiver.kinds_of(*id) == ["created"])
        });
        // Later events are delivered as well.
        assert_eq!(send_request(&native, "PUT", "/orders/8", &order_json(8, 2)), 200);
        for id in 100..110 {
            assert_eq!(send_request(&native, "POST", "/create_order", &order_json(id, 1)), 200);
        }
        await_that("later ones are delivered", || {
            (100..110).all(|id| receiver.kinds_of(id) == ["created"])
        });
        assert_eq!(receiver.kinds_of(8), ["created"], "in its order");
    }
}

/// Unusual responses: the event counts as accepted or not, is not lost, and does not block others.
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
        // Larger than the limit.
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
        // Truncated, or not HTTP.
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
        let Some((database, url, receiver)) = start_database_and_receiver(&name) else {
            return;
        };
        receiver.plan_for([8], Some(Behavior::SendRaw(answer)));
        let native = start_service(&url, &receiver.url);
        assert_eq!(send_request(&native, "POST", "/create_order", &order_json(8, 1)), 200);
        await_that("it was sent", || !receiver.kinds_of(8).is_empty());
        for id in 16..20 {
            assert_eq!(send_request(&native, "POST", "/create_order", &order_json(id, 1)), 200);
        }
        await_that("the others are delivered", || {
            (16..20).all(|id| receiver.kinds_of(id) == ["created"])
        });
        let left = i64::from(!is_taken);
        await_that("what is taken is removed, and nothing else", || {
            count_waiting_events(&database, &name) == left
        });
        receiver.plan_for([8], None);
        await_that("all are delivered", || count_waiting_events(&database, &name) == 0);
        assert_eq!(list_dead_letters(&native).len(), 0, "{answer}");
    }
}

/// A 429 does not count as a failed attempt of the event.
#[test]
fn a_receiver_that_asks_for_time_gets_it() {
    let name = "events_often";
    let Some((database, url, receiver)) = start_database_and_receiver(name) else {
        return;
    };
    let often = "HTTP/1.1 429 Often\r\nretry-after: 4\r\ncontent-length: 0\r\n\r\n";
    receiver.plan(&[], Some(Behavior::SendRaw(often)));
    let native = start_service(&url, &receiver.url);
    assert_eq!(send_request(&native, "POST", "/create_order", &order_json(1, 1)), 200);
    await_that("it was asked", || !receiver.events().is_empty());
    let first = Instant::now();
    for id in 2..=30 {
        assert_eq!(send_request(&native, "POST", "/create_order", &order_json(id, 1)), 200);
    }
    await_that("it was asked again", || receiver.events().len() > 1);
    assert!(first.elapsed() > Duration::from_secs(3), "{:?}", first.elapsed());
    // Every other event from now on, and without `Retry-After`.
    let often = Behavior::SendRaw("HTTP/1.1 429 Often\r\ncontent-length: 0\r\n\r\n");
    receiver.plan(&[Behavior::Respond(200), often].repeat(8), None);
    await_that("all are delivered", || count_waiting_events(&database, name) == 0);
    assert_eq!(receiver.distinct().len(), 30);
    assert_eq!(list_dead_letters(&native).len(), 0);
    assert_eq!(read_metric(&native, "orders_events_set_aside_total"), Some(0));

    receiver.plan_for([31], Some(often));
    assert_eq!(send_request(&native, "POST", "/create_order", &order_json(31, 1)), 200);
    for id in 32..=40 {
        assert_eq!(send_request(&native, "POST", "/create_order", &order_json(id, 1)), 200);
    }
    await_that("one alone is tried again", || {
        let tried = receiver.events();
        tried.iter().filter(|event| event["subject"] == "31").count() >= 3
    });
    await_that("the others are delivered", || {
        count_waiting_events(&database, name) == 1
    });
    let attempts = database
        .query(name, "SELECT MAX(attempts) FROM orders_outbox")
        .remove(0)
        .take::<i64, _>(0);
    assert_eq!(attempts, Some(0), "which counts as no attempt");
}

#[test]
fn refused_events_are_set_aside_shown_and_sent_again() {
    let name = "events_dead_letters";
    let Some((database, url, receiver)) = start_database_and_receiver(name) else {
        return;
    };
    receiver.plan_for(2_000..2_400, Some(Behavior::Respond(422)));
    let native = start_service(&url, &receiver.url);
    let several: Vec<String> = (2_000..2_400).map(|id| order_json(id, 1)).collect();
    let start = Instant::now();
    assert_eq!(
        send_request(&native, "POST", "/create_orders", &format!("[{}]", several.join(","))),
        200
    );
    assert_eq!(
        send_request(&native, "POST", "/create_order", &order_json(5_001, 1)),
        200
    );
    await_that("the one behind them is delivered", || {
        receiver.kinds_of(5_001) == ["created"]
    });
    assert!(
        start.elapsed() < scaled(Duration::from_secs(20)),
        "{:?}",
        start.elapsed()
    );
    assert_eq!(send_request(&native, "PUT", "/orders/2000", &order_json(2_000, 2)), 200);

    await_that("they are set aside", || list_dead_letters(&native).len() == 401);
    let letter = &list_dead_letters(&native)[0];
    assert_eq!(
        (&letter["attempts"], &letter["type"]),
        (&5.into(), &"order.created".into())
    );
    assert!(letter["last_error"].as_str().unwrap().contains("422"), "{letter}");
    assert_eq!(count_waiting_events(&database, name), 0);
    await_that("the metrics say so", || {
        read_metric(&native, "orders_events_dead_letters") == Some(401)
    });
    assert_eq!(read_metric(&native, "orders_events_set_aside_total"), Some(401));
    native.await_logged("is set aside after 5 attempts");

    receiver.plan_for(2_000..2_400, None);
    let id = letter["id"].as_i64().unwrap();
    assert_eq!(
        send_request(&native, "POST", &format!("/dead_letters?id={id}"), ""),
        200
    );
    assert_eq!(
        send_request(&native, "POST", &format!("/dead_letters?id={id}"), ""),
        404
    );
    let last = list_dead_letters(&native).last().unwrap()["id"].as_i64().unwrap();
    assert_eq!(send_request(&native, "DELETE", "/dead_letters", ""), 400);
    assert_eq!(
        send_request(&native, "DELETE", &format!("/dead_letters?id={last}"), ""),
        200
    );
    assert_eq!(
        send_request(&native, "DELETE", &format!("/dead_letters?id={last}"), ""),
        404
    );
    let before = receiver.events().len();
    let answer = native.send(&Request::new("POST", "/dead_letters"));
    assert!(answer.body.contains(r#""changed":399"#), "{answer:?}");
    await_that("they are delivered", || {
        count_waiting_events(&database, name) == 0 && receiver.events().len() >= before + 399
    });
    assert_eq!(list_dead_letters(&native).len(), 0);
}

/// Rows of a newer version, or of another program.
#[test]
fn rows_that_nobody_can_read_are_passed_by_and_counted() {
    let name = "events_unreadable";
    let Some((database, url, receiver)) = start_database_and_receiver(name) else {
        return;
    };
    let native = start_service(&url, &receiver.url);
    let rows =
        "INSERT INTO orders_outbox (kind, order_id, product_id, quantity, amount, shipping, tax, shipping_address) \
        SELECT 'replaced', 5, 1, 1, 1, 1, 1, 'x' FROM seq_1_to_700";
    database.query(name, rows);
    assert_eq!(send_request(&native, "POST", "/create_order", &order_json(5, 1)), 200);
    await_that("what comes behind is delivered", || receiver.kinds_of(5) == ["created"]);
    await_that("they are counted", || {
        read_metric(&native, "orders_events_unreadable") == Some(700)
    });
    native.await_logged("does not know");
    let logged = native
        .log()
        .iter()
        .filter(|line| line.contains("does not know"))
        .count();
    assert_eq!(logged, 1);
    // The delivered one is removed once the receiver's answer has arrived.
    await_that("they are kept", || count_waiting_events(&database, name) == 700);

    // A page of unreadable rows, and an event behind it.
    let odd = "INSERT INTO orders_outbox \
        (kind, order_id, product_id, quantity, amount, shipping, tax, shipping_address, attempts) \
        SELECT 'created', -seq, 0, -1, -1, 1, 1, '', -5 FROM seq_1_to_300";
    database.query(name, odd);
    assert_eq!(send_request(&native, "POST", "/create_order", &order_json(6, 1)), 200);
    await_that("what comes behind is delivered", || receiver.kinds_of(6) == ["created"]);
    await_that("and they are", || count_waiting_events(&database, name) == 700);
}

/// As after an administrator has changed a column.
#[test]
fn a_row_that_cannot_be_read_is_logged_and_holds_up_nothing() {
    let name = "events_unreadable_row";
    let Some((database, url, receiver)) = start_database_and_receiver(name) else {
        return;
    };
    let native = start_service(&url, &receiver.url);
    for table in ["orders_outbox", "orders_dead_letters"] {
        database.query(
            name,
            &format!("ALTER TABLE {table} MODIFY event_id VARBINARY(36) NOT NULL DEFAULT UUID()"),
        );
        let row = format!(
            "INSERT INTO {table} \
             (event_id, kind, order_id, product_id, quantity, amount, shipping, tax, shipping_address) \
             VALUES (x'FF', 'created', 7, 1, 1, 1, 1, 1, 'x')"
        );
        database.query(name, &row);
    }
    assert_eq!(send_request(&native, "POST", "/create_order", &order_json(8, 1)), 200);
    await_that("the event behind it is delivered", || {
        receiver.kinds_of(8) == ["created"]
    });
    await_that("it alone is removed", || count_waiting_events(&database, name) == 1);
    native.await_logged("of orders_outbox cannot be read");
    let lines = native.log();
    let logged = lines
        .iter()
        .filter(|line| line.contains("of orders_outbox cannot be read"));
    assert_eq!(logged.count(), 1);
    assert_eq!(native.get("/dead_letters").error_code().as_deref(), Some("internal"));
}
