//! Database servers with unusual configurations, or with errors: every response is correct.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use service_tests::await_that;
use service_tests::database::Database;
use service_tests::http::{Request, Response};
use service_tests::native_process::NativeProcess;
use support::receiver::{Behavior, Receiver};
use support::{start_native, ORDERS};

fn order(id: i32, address: &str) -> String {
    format!(
        r#"{{"order_id":{id},"product_id":1,"quantity":1,"amount":1,"shipping":0,"tax":0,"shipping_address":"{address}"}}"#
    )
}

fn create(native: &NativeProcess, id: i32, address: &str) -> Response {
    native.send(&Request::new("POST", "/create_order").with_body(&order(id, address)))
}

fn orders(first: i32, count: i32, address: &str) -> Request {
    let orders: Vec<String> = (first..first + count).map(|id| order(id, address)).collect();
    Request::new("POST", "/create_orders").with_body(&format!("[{}]", orders.join(",")))
}

fn count(database: &Database, condition: &str) -> i64 {
    // Independent of the server's defaults.
    let sql = format!(
        "SET STATEMENT sql_big_selects = 1, max_statement_time = 0 FOR SELECT COUNT(*) FROM orders WHERE {condition}"
    );
    database.query("orders", &sql).remove(0).take(0).unwrap()
}

/// Unusual defaults of session variables.
#[test]
fn the_session_sets_what_it_needs() {
    let Some(database) = Database::start("servers_defaults") else {
        return;
    };
    for setting in [
        "autocommit = 0",
        "completion_type = 'CHAIN'",
        "sql_safe_updates = 1",
        "sql_select_limit = 1",
        "tx_read_only = 1",
        "tx_isolation = 'SERIALIZABLE'",
        "time_zone = '+05:30'",
        "sql_mode = 'NO_BACKSLASH_ESCAPES,PIPES_AS_CONCAT,IGNORE_SPACE'",
        "sql_mode = ''",
        "unique_checks = 0",
        "character_set_client = latin1",
        "character_set_connection = latin1",
        "character_set_results = latin1",
        "init_connect = 'SET NAMES latin1, autocommit = 0'",
        "sql_big_selects = 0",
        "max_join_size = 1",
        "max_statement_time = 0.001",
        "wait_timeout = 1",
        "lock_wait_timeout = 1",
        "idle_transaction_timeout = 1",
        "session_track_system_variables = '*'",
        "session_track_state_change = 1",
        "session_track_transaction_info = 'CHARACTERISTICS'",
        "auto_increment_increment = 7",
        "innodb_snapshot_isolation = 0",
        "default_storage_engine = 'Aria'",
        "collation_connection = 'utf8mb4_bin'",
        "lc_messages = 'de_DE'",
        "group_concat_max_len = 4",
        "max_sort_length = 64",
        "alter_algorithm = 'INSTANT'",
        "net_read_timeout = 1",
        "net_write_timeout = 1",
        "max_error_count = 0",
        "sql_auto_is_null = 1",
        "old_mode = ''",
        "character_set_server = utf16",
        "optimizer_switch = 'derived_merge=off,materialization=off,semijoin=off'",
        "div_precision_increment = 0",
        "low_priority_updates = 1",
        "join_cache_level = 0",
        "innodb_strict_mode = 0",
        "query_cache_type = 1",
    ] {
        database
            .administer("DROP DATABASE IF EXISTS orders; CREATE DATABASE orders")
            .unwrap();
        database.administer(&format!("SET GLOBAL {setting}")).unwrap();
        let native = start_native(&database.url("orders"));
        native.await_ready();
        let address = "S\u{fc}d \\\\ \u{1f6a3} 'x'";
        for id in 1..=3 {
            assert_eq!(create(&native, id, address).status, 200, "{setting}");
        }
        assert_eq!(create(&native, 1, address).status, 409, "{setting}");
        let many = native.send(&orders(10, 2_000, address));
        assert_eq!(many.status, 200, "{setting}: {many:?}");
        // Another session sees the committed row with the same characters.
        let expected = hex("S\u{fc}d \\ \u{1f6a3} 'x'");
        let condition = format!("HEX(CONVERT(shipping_address USING utf8mb4)) = '{expected}'");
        assert_eq!(count(&database, &condition), 2_003, "{setting}");
        let listed: serde_json::Value = serde_json::from_str(&native.get("/orders?limit=10000").body).unwrap();
        assert_eq!(listed.as_array().unwrap().len(), 2_003, "{setting}");
        assert_eq!(listed[0]["shipping_address"], "S\u{fc}d \\ \u{1f6a3} 'x'", "{setting}");
        assert_eq!(native.get("/delete_order?id=1").status, 200, "{setting}");
        assert_eq!(count(&database, "order_id = 1"), 0, "{setting}");
        let open = database
            .administer(
                "SET sql_big_selects = 1, max_statement_time = 0; SELECT COUNT(*) FROM information_schema.innodb_trx",
            )
            .unwrap();
        assert!(open.ends_with('0'), "{setting}: transactions are left open: {open}");
        let name = setting.split(' ').next().unwrap();
        let default = if name == "init_connect" { "''" } else { "DEFAULT" };
        database.administer(&format!("SET GLOBAL {name} = {default}")).unwrap();
    }
}

fn hex(text: &str) -> String {
    text.bytes().map(|byte| format!("{byte:02X}")).collect()
}

#[test]
fn a_server_that_ignores_the_clients_characters_keeps_them() {
    let Some(database) = Database::start("servers_characters") else {
        return;
    };
    database
        .administer("SET GLOBAL character_set_server = latin1; SET GLOBAL collation_server = latin1_swedish_ci")
        .unwrap();
    database
        .administer("DROP DATABASE orders; CREATE DATABASE orders CHARACTER SET latin1")
        .unwrap();
    let native = start_native(&database.url("orders"));
    native.await_ready();
    assert_eq!(create(&native, 1, "\u{1f6a3} S\u{fc}d").status, 200);
    assert_eq!(native.send(&orders(2, 1_000, "\u{1f6a3} S\u{fc}d")).status, 200);
    let expected = hex("\u{1f6a3} S\u{fc}d");
    assert_eq!(
        count(&database, &format!("HEX(shipping_address) = '{expected}'")),
        1_001
    );
}

/// A request that is larger than `max_allowed_packet` is stored in batches, or rejected.
#[test]
fn packets_of_the_server_limit_nothing_but_one_order() {
    let Some(database) = Database::start("servers_packets") else {
        return;
    };
    for (packet, one) in [(1_048_576, 200), (16_384, 200), (1_024, 413)] {
        database
            .administer(&format!("SET GLOBAL max_allowed_packet = {packet}"))
            .unwrap();
        let native = start_native(&database.url("orders"));
        native.await_ready();
        if packet > 1_024 {
            let many = native.send(&orders(packet, 5_000, &"x".repeat(200)));
            assert_eq!(many.status, 200, "{packet}: {many:?}");
            assert_eq!(
                count(
                    &database,
                    &format!("order_id >= {packet} AND order_id < {packet} + 5000")
                ),
                5_000
            );
            let again = native.send(&orders(packet + 4_990, 5_000, "again"));
            assert_eq!(again.error_code().as_deref(), Some("duplicate_order"), "{again:?}");
            assert_eq!(count(&database, "shipping_address = 'again'"), 0, "all or nothing");
        }
        let largest = create(&native, packet + 100_000, &"\u{1f6a3}".repeat(256));
        assert_eq!(largest.status, one, "{packet}: {largest:?}");
        if one == 413 {
            assert_eq!(largest.error_code().as_deref(), Some("too_large"));
            assert_eq!(largest.header("retry-after"), None);
        }
        assert_eq!(create(&native, packet + 200_000, "x").status, 200, "{packet}");
    }
}

/// Statements with many sequence numbers stay within `max_allowed_packet`.
#[test]
fn packets_of_the_server_limit_no_event() {
    let Some(database) = Database::start("servers_event_packets") else {
        return;
    };
    let receiver = Receiver::start();
    receiver.plan_for(1_000_000..1_000_050, Some(Behavior::Respond(422)));
    let url = database.url("orders");
    let variables = [("DATABASE_URL", url.as_str()), ("EVENTS_URL", receiver.url.as_str())];
    let native = NativeProcess::start(&ORDERS, &variables);
    native.await_ready();
    drop(native);
    let rows = |first: i32, count: i32| {
        format!(
            "INSERT INTO orders_outbox (kind, order_id, product_id, quantity, amount, shipping, tax, shipping_address) \
             SELECT 'created', {first} + seq, 1, 1, 1, 1, 1, 'x' FROM seq_0_to_{} ",
            count - 1
        )
    };
    database.query(
        "orders",
        "ALTER TABLE orders_outbox AUTO_INCREMENT = 1000000000000000000",
    );
    database.query("orders", &rows(1_000_000, 50));
    database.query("orders", &rows(2_000_000, 600));
    database.administer("SET GLOBAL max_allowed_packet = 1024").unwrap();
    let native = NativeProcess::start(&ORDERS, &variables);
    native.await_ready();
    await_that("all are delivered or set aside", || {
        let left = database
            .administer("SELECT COUNT(*) FROM orders.orders_outbox")
            .unwrap();
        left.ends_with("\n0")
    });
    assert!(receiver.distinct().len() == 650, "{}", receiver.distinct().len());
    let answer = native.get("/dead_letters");
    assert_eq!(answer.body.matches("event_id").count(), 50, "{answer:?}");
    receiver.plan_for(1_000_000..1_000_050, None);
    await_that("they are sent again", || {
        assert_eq!(native.send(&Request::new("POST", "/dead_letters")).status, 200);
        native.get("/dead_letters").body.matches("event_id").count() == 0
    });
}

/// Errors of a server that cannot serve at the moment: Galera without a quorum, read-only after a failover, out of
/// resources.
#[test]
fn refusals_of_the_server_are_told_as_what_they_are() {
    let Some(database) = Database::start("servers_refusals") else {
        return;
    };
    let native = start_native(&database.url("orders"));
    native.await_ready();
    let sessions = || {
        let sql = "SELECT GROUP_CONCAT(id ORDER BY id) FROM information_schema.processlist WHERE user = 'orders'";
        database.administer(sql).unwrap()
    };
    for (number, state, status, replaced) in [
        (1047, "08S01", 503, true),
        (1047, "HY000", 503, true),
        (1036, "HY000", 503, true),
        (1159, "HY000", 503, true),
        (1290, "HY000", 503, true),
        (1792, "25006", 503, true),
        (1223, "HY000", 503, false),
        (1637, "HY000", 503, false),
        (1205, "HY000", 503, false),
        (1461, "42000", 503, false),
        (1114, "HY000", 503, false),
        (1030, "HY000", 503, false),
        (1040, "08004", 503, false),
        (1203, "42000", 503, false),
        (1226, "42000", 503, false),
        (1317, "70100", 503, false),
        (1213, "40001", 503, false),
        (1020, "HY000", 503, false),
        (1836, "HY000", 503, true),
        (1874, "HY000", 503, true),
        (1053, "08S01", 503, true),
        (1927, "70100", 503, true),
        (1296, "HY000", 503, false),
        (1598, "HY000", 503, false),
        (3019, "HY000", 503, false),
        (4145, "HY000", 503, false),
        (3, "HY000", 503, false),
        (201, "HY000", 503, false),
        (1467, "HY000", 503, false),
        (1969, "70100", 504, false),
        (9999, "40001", 503, false),
        (9999, "08006", 503, true),
        (9999, "45000", 422, false),
        (9999, "42000", 500, false),
    ] {
        let trigger = format!(
            "CREATE OR REPLACE TRIGGER orders.not_ready BEFORE INSERT ON orders.orders FOR EACH ROW \
             SIGNAL SQLSTATE '{state}' SET MYSQL_ERRNO = {number}, MESSAGE_TEXT = 'not now'"
        );
        database.administer(&trigger).unwrap();
        assert_eq!(native.get("/orders").status, 200);
        let before = sessions();
        let answer = create(&native, 1, "x");
        assert_eq!(answer.status, status, "{number} {state}: {answer:?}");
        assert_eq!(
            answer.header("retry-after").is_some(),
            status == 503,
            "{number} {state}"
        );
        assert_eq!(
            answer.body.contains("look before"),
            status == 504,
            "{number} {state}: {answer:?}"
        );
        assert_eq!(native.get("/orders").status, 200);
        assert_eq!(sessions() != before, replaced, "{number} {state}");
    }
    database.administer("DROP TRIGGER orders.not_ready").unwrap();
    assert_eq!(create(&native, 1, "x").status, 200);
}

/// A session or its statement is killed: the response says whether it was executed.
#[test]
fn killed_statements_did_nothing() {
    let Some(database) = Database::start("servers_killed") else {
        return;
    };
    let native = start_native(&database.url("orders"));
    native.await_ready();
    let slow = "CREATE TRIGGER orders.slow BEFORE INSERT ON orders.orders FOR EACH ROW SET @a = SLEEP(4)";
    database.administer(slow).unwrap();
    let running = || {
        let sql = "SELECT MAX(id) FROM information_schema.processlist WHERE state = 'User sleep'";
        let told = database.administer(sql).unwrap();
        let id: Option<u64> = told.lines().last().and_then(|line| line.parse().ok());
        id
    };
    for (kill, request) in [
        ("KILL QUERY", orders(1, 1, "x")),
        ("KILL", orders(1, 1, "x")),
        ("KILL QUERY", orders(1, 5_000, "a long one")),
        ("KILL", orders(1, 5_000, "a long one")),
    ] {
        let answer = std::thread::scope(|scope| {
            let answer = scope.spawn(|| native.send(&request));
            let id = service_tests::eventually("it runs", running);
            database.administer(&format!("{kill} {id}")).unwrap();
            answer.join().unwrap()
        });
        assert_eq!(answer.status, 503, "{kill}: {answer:?}");
        assert!(answer.header("retry-after").is_some(), "{kill}");
        assert_eq!(count(&database, "order_id > 0"), 0, "{kill}");
        assert_eq!(native.get("/orders").status, 200, "{kill}");
    }
}

/// A unique key that is not the order's id.
#[test]
fn what_another_key_refuses_is_not_told_as_an_id() {
    let name = "servers_keys";
    let Some(database) = Database::shared(name) else {
        return;
    };
    let native = start_native(&database.create(name));
    native.await_ready();
    database.query(name, "ALTER TABLE orders ADD UNIQUE KEY address (shipping_address)");
    assert_eq!(create(&native, 1, "x").status, 200);
    for (answer, names) in [
        (create(&native, 1, "y"), true),
        (create(&native, 77, "x"), false),
        (native.send(&orders(77, 2, "x")), false),
    ] {
        assert_eq!(answer.error_code().as_deref(), Some("duplicate_order"), "{answer:?}");
        assert_eq!(answer.body.contains("the id 1 exists"), names, "{answer:?}");
        assert!(!answer.body.contains("77"), "{answer:?}");
    }
}

#[test]
fn a_server_that_the_driver_does_not_know_is_told_apart() {
    let Some(database) = Database::start("servers_quotes") else {
        return;
    };
    database.administer("SET GLOBAL sql_mode = 'ANSI_QUOTES'").unwrap();
    let native = start_native(&database.url("orders"));
    await_that("the reason is told", || {
        assert_eq!(native.get("/readyz").status, 503);
        native.log().iter().any(|line| line.contains("without ANSI_QUOTES"))
    });
    database.administer("SET GLOBAL sql_mode = DEFAULT").unwrap();
    native.await_ready();
}

/// A failed statement does not end its transaction: the next statement must not become a part of it.
#[test]
fn a_transaction_that_failed_is_left_open_for_nobody() {
    let Some(database) = Database::start("servers_transactions") else {
        return;
    };
    let url = database.url("orders");
    let variables = [
        ("DATABASE_URL", url.as_str()),
        ("EVENTS_URL", "http://127.0.0.1:1/"),
        // One connection for requests, so that it is used again.
        ("DATABASE_POOL_MAX", "2"),
    ];
    let native = NativeProcess::start(&ORDERS, &variables);
    native.await_ready();
    let letter = "INSERT INTO orders_dead_letters \
        (kind, order_id, product_id, quantity, amount, shipping, tax, shipping_address) \
        VALUES ('created', 5, 1, 1, 1, 1, 1, 'x')";
    database.query("orders", letter);
    database.query("orders", "CREATE TABLE gate (place INT)");
    let holder = &database;
    let answer = std::thread::scope(|scope| {
        let held = "BEGIN NOT ATOMIC DECLARE is_open INT DEFAULT 0; \
            SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED; START TRANSACTION; \
            SELECT order_id FROM orders_dead_letters FOR UPDATE; \
            WHILE is_open = 0 DO DO SLEEP(0.02); SELECT COUNT(*) INTO is_open FROM gate; END WHILE; ROLLBACK; END";
        let holder = scope.spawn(move || holder.query("orders", held));
        let locks = "SELECT COUNT(*) FROM information_schema.innodb_trx WHERE trx_rows_locked > 0";
        await_that("somebody holds the letter", || {
            database.administer(locks).unwrap().ends_with('1')
        });
        let answer = scope.spawn(|| native.send(&Request::new("POST", "/dead_letters")));
        let waiting = "SELECT MAX(id) FROM information_schema.processlist WHERE user = 'orders' \
            AND info LIKE 'SELECT sequence FROM orders_dead_letters%'";
        let id = service_tests::eventually("it waits", || -> Option<u64> {
            database.administer(waiting).unwrap().lines().last()?.parse().ok()
        });
        database.administer(&format!("KILL QUERY {id}")).unwrap();
        let answer = answer.join().unwrap();
        database.query("orders", "INSERT INTO gate VALUES (1)");
        holder.join().unwrap();
        answer
    });
    assert_eq!(answer.status, 503, "{answer:?}");
    for id in 1..=3 {
        assert_eq!(create(&native, id, "x").status, 200);
    }
    assert_eq!(count(&database, "order_id <= 3"), 3, "others see what is stored");
}

/// A NULL value must not shift the others.
#[test]
fn a_row_with_a_missing_value_is_not_shown_as_another() {
    let name = "servers_missing";
    let Some(database) = Database::shared(name) else {
        return;
    };
    let native = start_native(&database.create(name));
    native.await_ready();
    for statement in [
        "ALTER TABLE orders MODIFY tax DECIMAL(12,2) NULL",
        "INSERT INTO orders VALUES (1, 1, 1, 5, 6, NULL, '12 Main Street')",
    ] {
        database.query(name, statement);
    }
    for path in ["/orders/1", "/orders"] {
        let answer = native.get(path);
        assert_eq!(answer.status, 500, "{path}: {answer:?}");
    }
}
