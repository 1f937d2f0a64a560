//! What a server refuses or answers wrongly.

use super::*;

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
        let output = database.administer(sql).unwrap();
        let id: Option<u64> = output.lines().last().and_then(|line| line.parse().ok());
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
