//! Upgrades from the tables of the version before the trace context, and replicas of that version beside this one.

use service_tests::await_that;
use service_tests::database::Database;
use service_tests::native_process::NativeProcess;

use crate::support::receiver::Receiver;
use crate::support::ORDERS;
use crate::{
    count_waiting_events, list_dead_letters, order_json, send_request, send_traced_request,
    start_database_and_receiver, start_service, traceparent,
};

/// What the older version executed to change an order.
const OLDER_INSERT: &str = "BEGIN NOT ATOMIC SET @announce_orders = 1; \
    INSERT INTO orders (order_id, product_id, quantity, amount, shipping, tax, shipping_address) \
        VALUES ({id}, 1, 1, 1, 1, 1, 'a'); END";

/// What it executed to set an event aside.
const OLDER_DEAD_LETTER: &str = "INSERT INTO orders_dead_letters (event_id, kind, happened_at, order_id, product_id, \
    quantity, amount, shipping, tax, shipping_address, attempts, last_error) SELECT event_id, kind, happened_at, \
    order_id, product_id, quantity, amount, shipping, tax, shipping_address, attempts, last_error FROM orders_outbox \
    WHERE order_id = {id}";

/// A version of the tables, as far as a migration has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Progress {
    Nothing,
    OneColumn,
    BothColumns,
    OneTrigger,
}

fn for_order(sql: &str, id: i32) -> String {
    sql.replace("{id}", &id.to_string())
}

/// The tables and triggers of the older version, with an event that waits and a dead letter.
fn create_older_tables(database: &Database, name: &str) {
    const ORDER: &str = "order_id INT NOT NULL, product_id INT NOT NULL, quantity INT NOT NULL, \
        amount DECIMAL(12,2) NOT NULL, shipping DECIMAL(12,2) NOT NULL, tax DECIMAL(12,2) NOT NULL, \
        shipping_address VARCHAR(256) CHARACTER SET utf8mb4 NOT NULL";
    for statement in [
        "CREATE TABLE orders_schema (version INT NOT NULL PRIMARY KEY, \
            applied_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP) ENGINE = InnoDB",
        "INSERT INTO orders_schema (version) VALUES (3)",
        &format!("CREATE TABLE orders ({ORDER}, PRIMARY KEY (order_id)) ENGINE = InnoDB"),
        &format!(
            "CREATE TABLE orders_outbox (sequence BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY, \
            event_id CHAR(36) CHARACTER SET ascii NOT NULL DEFAULT UUID(), \
            kind VARCHAR(16) CHARACTER SET ascii NOT NULL, \
            happened_at TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6), {ORDER}, \
            attempts INT NOT NULL DEFAULT 0, \
            last_error VARCHAR(255) CHARACTER SET utf8mb4 NOT NULL DEFAULT '') ENGINE = InnoDB"
        ),
        "CREATE TABLE orders_dead_letters LIKE orders_outbox",
    ] {
        database.query(name, statement);
    }
    for (change, row, kind) in [
        ("INSERT", "NEW", "created"),
        ("UPDATE", "NEW", "updated"),
        ("DELETE", "OLD", "deleted"),
    ] {
        let trigger = format!(
            "CREATE TRIGGER orders_{kind} AFTER {change} ON orders FOR EACH ROW \
            IF @announce_orders THEN INSERT INTO orders_outbox \
            (kind, order_id, product_id, quantity, amount, shipping, tax, shipping_address) \
            VALUES ('{kind}', {row}.order_id, {row}.product_id, {row}.quantity, {row}.amount, {row}.shipping, \
            {row}.tax, {row}.shipping_address); END IF"
        );
        database.query(name, &trigger);
    }
    database.query(name, &for_order(OLDER_INSERT, 1));
    database.query(name, &for_order(OLDER_INSERT, 2));
    database.query(name, &for_order(OLDER_DEAD_LETTER, 2));
    database.query(name, "DELETE FROM orders_outbox WHERE order_id = 2");
}

fn continue_migration(database: &Database, name: &str, progress: Progress) {
    const ADD: &str = "ADD COLUMN trace VARCHAR(568) CHARACTER SET ascii NULL";
    if progress != Progress::Nothing {
        database.query(name, &format!("ALTER TABLE orders_outbox {ADD}"));
    }
    if matches!(progress, Progress::BothColumns | Progress::OneTrigger) {
        database.query(name, &format!("ALTER TABLE orders_dead_letters {ADD}"));
    }
    if progress == Progress::OneTrigger {
        database.query(name, "DROP TRIGGER orders_created");
    }
}

fn count(database: &Database, name: &str, sql: &str) -> i64 {
    database.query(name, sql).remove(0).take(0).unwrap()
}

fn count_current_triggers(database: &Database, name: &str) -> i64 {
    let sql = "SELECT COUNT(*) FROM information_schema.triggers WHERE trigger_schema = DATABASE() \
        AND action_statement LIKE '%@orders_trace%'";
    count(database, name, sql)
}

/// The attribute of the last event of an order.
fn last_trace(receiver: &Receiver, order_id: i32) -> Option<String> {
    let (events, subject) = (receiver.events(), order_id.to_string());
    let mut of_order = events.iter().filter(|event| event["subject"] == subject.as_str());
    let event = of_order.next_back().unwrap();
    event["traceparent"].as_str().map(str::to_owned)
}

#[test]
fn tables_of_the_version_before_are_upgraded_with_their_events() {
    for (index, progress) in [
        Progress::Nothing,
        Progress::OneColumn,
        Progress::BothColumns,
        Progress::OneTrigger,
    ]
    .into_iter()
    .enumerate()
    {
        let name = format!("events_upgrade_{index}");
        let Some((database, url, receiver)) = start_database_and_receiver(&name) else {
            return;
        };
        create_older_tables(&database, &name);
        continue_migration(&database, &name, progress);
        let native = start_service(&url, &receiver.url);
        let version = count(&database, &name, "SELECT MAX(version) FROM orders_schema");
        assert_eq!(
            (version, count_current_triggers(&database, &name)),
            (4, 3),
            "{progress:?}"
        );
        assert_eq!(
            send_traced_request(&native, "POST", "/create_order", &order_json(3, 1), &traceparent(3)),
            200
        );
        assert_eq!(send_request(&native, "POST", "/dead_letters", ""), 200);
        await_that("all events are delivered", || {
            count_waiting_events(&database, &name) == 0
        });
        for (id, expected) in [(1, None), (2, None), (3, Some(traceparent(3)))] {
            assert_eq!(receiver.kinds_of(id), ["created"], "{progress:?}");
            assert_eq!(last_trace(&receiver, id), expected, "{progress:?}");
        }
        // A second migration changes nothing.
        let again = start_service(&url, &receiver.url);
        assert_eq!(again.get("/init").status, 200);
        let log = again.log();
        assert!(!log.iter().any(|line| line.contains("the tables are now")), "{log:?}");
    }
}

#[test]
fn replicas_of_the_version_before_go_on_after_the_upgrade() {
    let name = "events_upgrade_beside";
    let Some((database, url, receiver)) = start_database_and_receiver(name) else {
        return;
    };
    create_older_tables(&database, name);
    let native = start_service(&url, &receiver.url);
    database.query(name, &for_order(OLDER_INSERT, 3));
    await_that("its change is announced", || receiver.kinds_of(3) == ["created"]);
    assert_eq!(last_trace(&receiver, 3), None);
    drop(native);
    database.query(name, &for_order(OLDER_INSERT, 4));
    database.query(name, &for_order(OLDER_DEAD_LETTER, 4));
    database.query(name, "DELETE FROM orders_outbox");
    let native = start_service(&url, &receiver.url);
    assert_eq!(list_dead_letters(&native).len(), 2);
    assert_eq!(send_request(&native, "POST", "/dead_letters", ""), 200);
    await_that("its dead letter is delivered", || receiver.kinds_of(4) == ["created"]);
}

/// Such as a table that was restored from a backup of an older version, or that a replica of it has made again.
#[test]
fn a_column_that_is_gone_comes_back() {
    let name = "events_upgrade_column";
    let Some((database, url, receiver)) = start_database_and_receiver(name) else {
        return;
    };
    let native = start_service(&url, &receiver.url);
    database.query(name, "ALTER TABLE orders_outbox DROP COLUMN trace");
    await_that("changes are possible again", || {
        send_traced_request(&native, "POST", "/create_order", &order_json(1, 1), &traceparent(1)) == 200
    });
    await_that("the change is announced", || receiver.kinds_of(1) == ["created"]);
    assert_eq!(last_trace(&receiver, 1), Some(traceparent(1)));
}

/// The administrator has made the triggers, and only this user's tables are upgraded.
#[test]
fn without_the_privilege_for_triggers_those_of_the_version_before_are_used() {
    let name = "events_upgrade_denied";
    let Some((database, url, receiver)) = start_database_and_receiver(name) else {
        return;
    };
    create_older_tables(&database, name);
    let user = "CREATE USER events_upgrade_denied IDENTIFIED BY 'secret'; \
        GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, ALTER ON events_upgrade_denied.* TO events_upgrade_denied";
    database.administer(user).unwrap();
    let url = url.replace("orders:secret@", "events_upgrade_denied:secret@");
    let native = NativeProcess::start(
        &ORDERS,
        &[("DATABASE_URL", url.as_str()), ("EVENTS_URL", receiver.url.as_str())],
    );
    native.await_ready();
    native.await_logged("grant TRIGGER");
    assert_eq!(count_current_triggers(&database, name), 0);
    assert_eq!(
        send_traced_request(&native, "POST", "/create_order", &order_json(3, 1), &traceparent(3)),
        200
    );
    await_that("the change is announced", || receiver.kinds_of(3) == ["created"]);
    assert_eq!(last_trace(&receiver, 3), None);

    database
        .administer("GRANT TRIGGER ON events_upgrade_denied.* TO events_upgrade_denied")
        .unwrap();
    await_that("asking again helps", || {
        native.get("/init").status == 200 && count_current_triggers(&database, name) == 3
    });
    assert_eq!(
        send_traced_request(&native, "PUT", "/orders/3", &order_json(3, 2), &traceparent(4)),
        200
    );
    await_that("the change is announced", || receiver.kinds_of(3).len() == 2);
    assert_eq!(last_trace(&receiver, 3), Some(traceparent(4)));
}
