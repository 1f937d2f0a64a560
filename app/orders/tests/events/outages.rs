//! Restarts and outages of the service and its database; configurations that prevent events.

use service_tests::await_that;
use service_tests::database::Database;
use service_tests::native_process::NativeProcess;

use crate::support::receiver::{Behavior, Receiver};
use crate::support::{start_native, ORDERS};
use crate::{count_waiting_events, order_json, send_request, start_database_and_receiver, start_service};

#[test]
fn another_replica_goes_on_when_one_dies() {
    const ORDERS: i32 = 60;
    let name = "events_replicas";
    let Some((database, url, receiver)) = start_database_and_receiver(name) else {
        return;
    };
    let mut processes: Vec<NativeProcess> = (0..3).map(|_| start_service(&url, &receiver.url)).collect();
    receiver.plan(&[], Some(Behavior::Respond(503)));
    for id in 1..=ORDERS {
        for (quantity, native) in processes.iter().enumerate() {
            let body = order_json(id, i32::try_from(quantity).unwrap() + 1);
            let (method, target) = match quantity {
                0 => ("POST", "/orders".to_owned()),
                _ => ("PUT", format!("/orders/{id}")),
            };
            assert!([200, 201].contains(&send_request(native, method, &target, &body)));
        }
    }
    receiver.plan(&[], None);
    // All of them, one after the other, so that the one that holds the lock is among them.
    while processes.len() > 1 {
        drop(processes.remove(0));
        await_that("somebody delivers", || {
            count_waiting_events(&database, name) == 0 || !receiver.distinct().is_empty()
        });
    }
    await_that("all events are delivered", || {
        count_waiting_events(&database, name) == 0
    });
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
    receiver.plan(&[], Some(Behavior::Respond(500)));
    let first = start_service(&url, &receiver.url);
    assert_eq!(send_request(&first, "POST", "/create_order", &order_json(1, 1)), 200);
    await_that("it was tried", || !receiver.events().is_empty());
    database.container("kill");
    database.container("start");
    database.await_ready();
    first.await_ready();
    await_that("another order is stored", || {
        [200, 409].contains(&send_request(&first, "POST", "/create_order", &order_json(2, 1)))
    });
    drop(first);
    receiver.plan(&[], None);
    let _second = start_service(&url, &receiver.url);
    await_that("all events are delivered", || {
        count_waiting_events(&database, "orders") == 0
    });
    assert_eq!(receiver.kinds_of(1), ["created"]);
    assert_eq!(receiver.kinds_of(2), ["created"]);
}

/// Events that could not be deleted afterwards are not sent again and again.
#[test]
fn a_database_that_only_reads_keeps_its_events() {
    let Some(database) = Database::start("events_read_only") else {
        return;
    };
    let receiver = Receiver::start();
    receiver.plan(&[], Some(Behavior::Respond(500)));
    let native = start_service(&database.url("orders"), &receiver.url);
    for id in 1..=3 {
        assert_eq!(send_request(&native, "POST", "/create_order", &order_json(id, 1)), 200);
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
    let count_warnings =
        |native: &NativeProcess| native.log().iter().filter(|line| line.contains("events wait")).count();
    let enough = count_warnings(&native) + 3;
    await_that("it is looked at again", || count_warnings(&native) >= enough);
    assert_eq!(taken(&receiver), before, "nothing is sent meanwhile");
    database.administer("SET GLOBAL read_only = 0").unwrap();
    await_that("all are delivered", || count_waiting_events(&database, "orders") == 0);
    assert_eq!(receiver.distinct().len(), 3);
}

#[test]
fn without_a_receiver_nothing_is_kept_for_it() {
    let name = "events_none";
    let Some((database, url, receiver)) = start_database_and_receiver(name) else {
        return;
    };
    let without = start_native(&url);
    without.await_ready();
    assert_eq!(send_request(&without, "POST", "/create_order", &order_json(1, 1)), 200);
    assert_eq!(without.get("/events").error_code().as_deref(), Some("not_found"));
    assert!(database.query(name, "SHOW TABLES LIKE 'orders_outbox'").is_empty());
    // A replica that sends events, and one that does not, as during a rollout.
    let with = start_service(&url, &receiver.url);
    assert_eq!(send_request(&without, "POST", "/create_order", &order_json(2, 1)), 200);
    assert_eq!(send_request(&with, "POST", "/create_order", &order_json(3, 1)), 200);
    await_that("its change is announced", || receiver.kinds_of(3) == ["created"]);
    await_that("the outbox is empty", || count_waiting_events(&database, name) == 0);
    assert_eq!(receiver.distinct().len(), 1);
}

#[test]
fn a_database_that_forbids_triggers_is_told_apart() {
    let name = "events_forbidden";
    let Some((database, url, receiver)) = start_database_and_receiver(name) else {
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
