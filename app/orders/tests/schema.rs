//! Migrations on a real database.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::sync::Arc;

use service_tests::await_that;
use service_tests::database::Database;
use service_tests::http::Request;
use service_tests::native_process::NativeProcess;
use support::{start_native, ORDERS};

const DEMO_TABLE: &str = "CREATE TABLE orders (order_id INT, product_id INT, quantity INT, \
    amount FLOAT, shipping FLOAT, tax FLOAT, shipping_address VARCHAR(20))";

fn database(name: &str) -> Option<(Arc<Database>, String)> {
    let database = Database::shared(name)?;
    let url = database.create(name);
    Some((database, url))
}

fn count(database: &Database, name: &str, sql: &str) -> i64 {
    database.query(name, sql).remove(0).take(0).unwrap()
}

#[test]
fn replicas_that_start_together_migrate_once() {
    let name = "schema_replicas";
    let Some((database, url)) = database(name) else {
        return;
    };
    let processes: Vec<NativeProcess> = (0..4).map(|_| start_native(&url)).collect();
    processes.iter().for_each(NativeProcess::await_ready);
    for native in &processes {
        assert_eq!(native.get("/init").status, 200);
    }
    assert_eq!(count(&database, name, "SELECT COUNT(*) FROM orders_schema"), 1);
    let migrated = processes
        .iter()
        .flat_map(NativeProcess::log)
        .filter(|line| line.contains("the tables are now at version"))
        .count();
    assert_eq!(migrated, 1);
}

#[test]
fn the_demo_table_is_converted_with_its_rows() {
    let name = "schema_demo";
    let Some((database, url)) = database(name) else {
        return;
    };
    database.query(name, DEMO_TABLE);
    database.query(
        name,
        "INSERT INTO orders VALUES (2, 12, 2, 56.55, 15.0, 0.1, 'Mataderos 2312'), \
         (1, 15, 3, 256.07, 30, 16, '')",
    );
    let native = start_native(&url);
    native.await_ready();
    assert_eq!(
        native.get("/orders").body,
        r#"[{"order_id":1,"product_id":15,"quantity":3,"amount":256.07,"shipping":30,"tax":16,"shipping_address":""},{"order_id":2,"product_id":12,"quantity":2,"amount":56.55,"shipping":15,"tax":0.1,"shipping_address":"Mataderos 2312"}]"#
    );
    let order = r#"{"order_id":2,"product_id":1,"quantity":1,"amount":1,"shipping":1,"tax":1,"shipping_address":"x"}"#;
    let again = Request::new("POST", "/create_order").with_body(order);
    assert_eq!(native.send(&again).status, 409);
}

#[test]
fn a_demo_table_that_would_lose_rows_is_refused_and_kept() {
    let name = "schema_refused";
    let Some((database, url)) = database(name) else {
        return;
    };
    database.query(name, DEMO_TABLE);
    database.query(
        name,
        "INSERT INTO orders VALUES (1, 1, 1, 1, 1, 1, 'a'), (1, 2, 2, 2, 2, 2, 'b'), \
         (3, 1, 1, 1, NULL, 1, 'c'), (4, 1, 1, -1, 1, 1, 'd'), (5, 1, 1, 1e12, 1, 1, 'e')",
    );
    let native = start_native(&url);
    let explains = |body: &str| {
        [
            "1 with a missing value",
            "1 with a repeated order_id",
            "2 with money out of range",
        ]
        .iter()
        .all(|part| body.contains(part))
    };
    await_that("readiness explains the refusal", || {
        explains(&native.get("/readyz").body)
    });
    let init = native.get("/init");
    assert_eq!(init.status, 503);
    assert!(explains(&init.body), "{init:?}");
    assert_eq!(native.get("/healthz").status, 200);
    assert_eq!(count(&database, name, "SELECT COUNT(*) FROM orders"), 5);

    // Once repaired by hand, it is converted without a restart.
    database.query(name, "DELETE FROM orders WHERE order_id > 2 OR product_id = 2");
    native.await_ready();
    assert_eq!(count(&database, name, "SELECT COUNT(*) FROM orders"), 1);
}

#[test]
fn a_foreign_table_is_refused_and_kept() {
    let name = "schema_foreign";
    let Some((database, url)) = database(name) else {
        return;
    };
    database.query(name, "CREATE TABLE orders (id INT PRIMARY KEY, note TEXT)");
    database.query(name, "INSERT INTO orders VALUES (1, 'mine')");
    let native = start_native(&url);
    await_that("readiness explains the refusal", || {
        native.get("/readyz").body.contains("a table named orders")
    });
    assert_eq!(native.get("/init").status, 503);
    assert_eq!(
        count(&database, name, "SELECT COUNT(*) FROM orders WHERE note = 'mine'"),
        1
    );
}

#[test]
fn tables_that_vanish_come_back() {
    let name = "schema_vanished";
    let Some((database, url)) = database(name) else {
        return;
    };
    let native = start_native(&url);
    native.await_ready();
    database.query(name, "DROP TABLE orders, orders_schema");
    let response = native.get("/orders");
    assert_eq!(response.error_code().as_deref(), Some("database_unavailable"));
    native.await_ready();
    assert_eq!(native.get("/orders").body, "[]");
}

#[test]
fn a_migration_that_was_cut_off_is_finished() {
    let name = "schema_cut";
    let Some((database, url)) = database(name) else {
        return;
    };
    start_native(&url).await_ready();
    database.query(name, "DELETE FROM orders_schema");
    database.query(name, "INSERT INTO orders VALUES (1, 1, 1, 1, 1, 1, 'kept')");
    start_native(&url).await_ready();
    assert_eq!(count(&database, name, "SELECT COUNT(*) FROM orders"), 1);
}

/// A migration that fails permanently: clients get the reason at once, and a repair by hand is detected.
#[test]
fn tables_that_cannot_be_made_are_told_with_the_reason() {
    let name = "schema_denied";
    let Some((database, url)) = database(name) else {
        return;
    };
    let user = "CREATE USER schema_denied IDENTIFIED BY 'secret'; \
        GRANT SELECT, INSERT, UPDATE, DELETE ON schema_denied.* TO schema_denied";
    database.administer(user).unwrap();
    let native = start_native(&url.replace("orders:secret@", "schema_denied:secret@"));
    for path in ["/readyz", "/orders", "/init"] {
        await_that("the reason is told", || {
            let answer = native.get(path);
            assert_eq!(answer.status, 503, "{path}: {answer:?}");
            answer.body.contains("grant it SELECT, INSERT, UPDATE, DELETE, CREATE")
        });
    }
    database
        .administer("GRANT ALL ON schema_denied.* TO schema_denied; KILL USER schema_denied")
        .unwrap();
    native.await_ready();
    assert_eq!(native.get("/orders").body, "[]");

    // Without the privilege to create tables, the service works with the existing ones.
    database
        .administer("REVOKE CREATE, ALTER, DROP ON schema_denied.* FROM schema_denied")
        .unwrap();
    let later = start_native(&url.replace("orders:secret@", "schema_denied:secret@"));
    later.await_ready();
    assert_eq!(later.get("/orders").body, "[]");
}

#[test]
fn a_foreign_table_of_versions_is_told() {
    let name = "schema_versions";
    let Some((database, url)) = database(name) else {
        return;
    };
    database.query(name, "CREATE TABLE orders_schema (note TEXT)");
    let native = start_native(&url);
    await_that("the reason is told", || {
        native.get("/readyz").body.contains("does not take a statement")
    });
    database.query(name, "DROP TABLE orders_schema");
    native.await_ready();
}

/// Many backups do not contain triggers.
#[test]
fn triggers_that_are_gone_come_back() {
    let name = "schema_triggers";
    let Some((database, url)) = database(name) else {
        return;
    };
    let variables = [("DATABASE_URL", url.as_str()), ("EVENTS_URL", "http://127.0.0.1:1/")];
    NativeProcess::start(&ORDERS, &variables).await_ready();
    database.query(name, "DROP TRIGGER orders_updated");
    let native = NativeProcess::start(&ORDERS, &variables);
    await_that("it is there again", || {
        count(
            &database,
            name,
            "SELECT COUNT(*) FROM information_schema.triggers WHERE trigger_schema = DATABASE()",
        ) == 3
    });
    native.await_ready();
}
