//! Migrations on a real database.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::sync::Arc;

use service_tests::await_that;
use service_tests::database::Database;
use service_tests::http::Request;
use service_tests::twin::Twin;
use support::start_twin;

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
    let twins: Vec<Twin> = (0..4).map(|_| start_twin(&url)).collect();
    twins.iter().for_each(Twin::await_ready);
    for twin in &twins {
        assert_eq!(twin.get("/init").status, 200);
    }
    assert_eq!(count(&database, name, "SELECT COUNT(*) FROM orders_schema"), 1);
    let migrated = twins
        .iter()
        .flat_map(Twin::log)
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
    let twin = start_twin(&url);
    twin.await_ready();
    assert_eq!(
        twin.get("/orders").body,
        r#"[{"order_id":1,"product_id":15,"quantity":3,"amount":256.07,"shipping":30,"tax":16,"shipping_address":""},{"order_id":2,"product_id":12,"quantity":2,"amount":56.55,"shipping":15,"tax":0.1,"shipping_address":"Mataderos 2312"}]"#
    );
    let order = r#"{"order_id":2,"product_id":1,"quantity":1,"amount":1,"shipping":1,"tax":1,"shipping_address":"x"}"#;
    let again = Request::new("POST", "/create_order").with_body(order);
    assert_eq!(twin.send(&again).status, 409);
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
    let twin = start_twin(&url);
    let explains = |body: &str| {
        [
            "1 with a missing value",
            "1 with a repeated order_id",
            "2 with money out of range",
        ]
        .iter()
        .all(|part| body.contains(part))
    };
    await_that("readiness explains the refusal", || explains(&twin.get("/readyz").body));
    let init = twin.get("/init");
    assert_eq!(init.status, 503);
    assert!(explains(&init.body), "{init:?}");
    assert_eq!(twin.get("/healthz").status, 200);
    assert_eq!(count(&database, name, "SELECT COUNT(*) FROM orders"), 5);

    // Mended by hand, it is converted without a restart.
    database.query(name, "DELETE FROM orders WHERE order_id > 2 OR product_id = 2");
    twin.await_ready();
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
    let twin = start_twin(&url);
    await_that("readiness explains the refusal", || {
        twin.get("/readyz").body.contains("a table named orders")
    });
    assert_eq!(twin.get("/init").status, 503);
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
    let twin = start_twin(&url);
    twin.await_ready();
    database.query(name, "DROP TABLE orders, orders_schema");
    let response = twin.get("/orders");
    assert_eq!(response.error_code().as_deref(), Some("database_unavailable"));
    twin.await_ready();
    assert_eq!(twin.get("/orders").body, "[]");
}

#[test]
fn a_migration_that_was_cut_off_is_finished() {
    let name = "schema_cut";
    let Some((database, url)) = database(name) else {
        return;
    };
    start_twin(&url).await_ready();
    database.query(name, "DELETE FROM orders_schema");
    database.query(name, "INSERT INTO orders VALUES (1, 1, 1, 1, 1, 1, 'kept')");
    start_twin(&url).await_ready();
    assert_eq!(count(&database, name, "SELECT COUNT(*) FROM orders"), 1);
}
