//! Constraints that an administrator adds to the tables: violations are reported as such, without details of the
//! schema.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::sync::Arc;

use service_tests::await_that;
use service_tests::database::Database;
use service_tests::http::{Request, Response};
use service_tests::native_process::NativeProcess;
use support::{start_native, ORDERS};

fn order(id: i32, product: i32, amount: u32, address: &str) -> String {
    format!(
        r#"{{"order_id":{id},"product_id":{product},"quantity":1,"amount":{amount},"shipping":0,"tax":0,"shipping_address":"{address}"}}"#
    )
}

/// An order that satisfies all constraints below.
fn valid_order(id: i32) -> String {
    order(id, 1, 1, &format!("a{id}"))
}

struct Fixture {
    name: &'static str,
    // Fields are dropped in this order: the native build before its database.
    native: NativeProcess,
    database: Arc<Database>,
}

impl Fixture {
    fn start(name: &'static str) -> Option<Fixture> {
        let database = Database::shared(name)?;
        let native = start_native(&database.create(name));
        native.await_ready();
        let fixture = Fixture { name, native, database };
        assert_eq!(fixture.create(&valid_order(1)).status, 200);
        Some(fixture)
    }

    fn change(&self, statements: &[&str]) {
        for statement in statements {
            self.database.query(self.name, statement);
        }
    }

    fn create(&self, order: &str) -> Response {
        self.native
            .send(&Request::new("POST", "/create_order").with_body(order))
    }

    fn update(&self, order: &str) -> Response {
        self.native
            .send(&Request::new("POST", "/update_order").with_body(order))
    }

    /// Creates orders in several batches, the last of which contains this order.
    fn create_many(&self, order: &str) -> Response {
        let mut orders: Vec<String> = (10..4_000).map(valid_order).collect();
        orders.push(order.to_owned());
        let body = format!("[{}]", orders.join(","));
        self.native
            .send(&Request::new("POST", "/create_orders").with_body(&body))
    }

    /// Checks that all ways to store an order that violates a constraint fail with this error and store nothing.
    fn refuses(&self, bad: &str, status: u16, code: &str) {
        let own = bad.replacen("\"order_id\":7", "\"order_id\":1", 1);
        for answer in [self.create(bad), self.update(&own), self.create_many(bad)] {
            check(&answer, status, code);
        }
        assert_eq!(self.create(&valid_order(2)).status, 200, "{code}");
        assert_eq!(self.native.get("/delete_order?id=2").status, 200, "{code}");
        let listed: serde_json::Value = serde_json::from_str(&self.native.get("/orders").body).unwrap();
        assert_eq!(listed.as_array().unwrap().len(), 1, "{code}");
    }
}

fn check(answer: &Response, status: u16, code: &str) {
    assert_eq!(answer.status, status, "{answer:?}");
    assert_eq!(answer.error_code().as_deref(), Some(code), "{answer:?}");
    assert_eq!(answer.header("retry-after").is_some(), status == 503, "{answer:?}");
    assert!(answer.body.contains("nothing was changed"), "{answer:?}");
    for secret in ["10.0.0.9", "has_product", "cheap", "orders.orders", "CONSTRAINT", "SQL"] {
        assert!(!answer.body.contains(secret), "{answer:?}");
    }
}

#[test]
fn foreign_keys_conflict() {
    let Some(fixture) = Fixture::start("constraints_references") else {
        return;
    };
    fixture.change(&[
        "CREATE TABLE products (id INT PRIMARY KEY) ENGINE = InnoDB",
        "INSERT INTO products VALUES (1)",
        "ALTER TABLE orders ADD CONSTRAINT has_product FOREIGN KEY (product_id) REFERENCES products (id)",
    ]);
    fixture.refuses(&order(7, 2, 1, "x"), 409, "conflict");
    fixture.change(&[
        "CREATE TABLE invoices (order_id INT, FOREIGN KEY (order_id) REFERENCES orders (order_id)) ENGINE = InnoDB",
        "INSERT INTO invoices VALUES (1)",
    ]);
    check(&fixture.native.get("/delete_order?id=1"), 409, "conflict");
    let rest = fixture.native.send(&Request::new("DELETE", "/orders/1"));
    check(&rest, 409, "conflict");
    assert_eq!(fixture.native.get("/orders/1").status, 200);
}

#[test]
fn other_keys_conflict() {
    let Some(fixture) = Fixture::start("constraints_keys") else {
        return;
    };
    fixture.change(&["ALTER TABLE orders ADD UNIQUE KEY (shipping_address)"]);
    assert_eq!(fixture.create(&valid_order(2)).status, 200);
    check(&fixture.update(&order(2, 1, 1, "a1")), 409, "conflict");
    assert_eq!(
        fixture.create(&order(3, 1, 1, "a1")).error_code().as_deref(),
        Some("duplicate_order")
    );
}

#[test]
fn rules_about_values_are_violated() {
    let Some(fixture) = Fixture::start("constraints_rules") else {
        return;
    };
    let signal = |change: &str, name: &str| {
        format!(
            "CREATE TRIGGER {name} BEFORE {change} ON orders FOR EACH ROW IF NEW.amount > 100 THEN \
             SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'ask 10.0.0.9'; END IF"
        )
    };
    let (on_insert, on_update) = (signal("INSERT", "a"), signal("UPDATE", "b"));
    for (change, back) in [
        (
            vec!["ALTER TABLE orders ADD CONSTRAINT cheap CHECK (amount <= 100)"],
            vec!["ALTER TABLE orders DROP CONSTRAINT cheap"],
        ),
        (
            vec![on_insert.as_str(), on_update.as_str()],
            vec!["DROP TRIGGER a", "DROP TRIGGER b"],
        ),
        (
            vec!["ALTER TABLE orders MODIFY amount DECIMAL(4,2) NOT NULL"],
            vec!["ALTER TABLE orders MODIFY amount DECIMAL(12,2) NOT NULL"],
        ),
        (
            vec!["ALTER TABLE orders MODIFY shipping_address VARCHAR(8) CHARACTER SET utf8mb4 NOT NULL"],
            vec!["ALTER TABLE orders MODIFY shipping_address VARCHAR(256) CHARACTER SET utf8mb4 NOT NULL"],
        ),
    ] {
        fixture.change(&change);
        fixture.refuses(&order(7, 1, 101, "longer than that"), 422, "constraint_violated");
        fixture.change(&back);
    }
}

#[test]
fn what_cannot_work_is_told_as_the_administrators_to_change() {
    let Some(fixture) = Fixture::start("constraints_misfits") else {
        return;
    };
    for (change, back) in [
        (
            "ALTER TABLE orders ADD COLUMN seller INT NOT NULL",
            "ALTER TABLE orders DROP COLUMN seller",
        ),
        (
            "CREATE TRIGGER a BEFORE INSERT ON orders FOR EACH ROW CALL nothing_of_that_name()",
            "DROP TRIGGER a",
        ),
        (
            "CREATE TRIGGER a BEFORE INSERT ON orders FOR EACH ROW DELETE FROM orders WHERE order_id = 5",
            "DROP TRIGGER a",
        ),
    ] {
        fixture.change(&[change]);
        check(&fixture.create(&valid_order(7)), 503, "database_unavailable");
        assert_eq!(fixture.native.get("/orders/1").status, 200, "{change}");
        fixture.change(&[back]);
        assert_eq!(fixture.create(&valid_order(7)).status, 200, "{change}");
        assert_eq!(fixture.native.get("/delete_order?id=7").status, 200, "{change}");
    }
}

/// Without transactions, a rejected batch would be stored in part.
#[test]
fn tables_without_transactions_are_refused() {
    let Some(database) = Database::start("constraints_engines") else {
        return;
    };
    database.administer("SET GLOBAL enforce_storage_engine = Aria").unwrap();
    let native = start_native(&database.url("orders"));
    let mut answer = native.get("/readyz");
    await_that("the reason is told", || {
        answer = native.get("/readyz");
        answer.body.contains("has the engine Aria")
    });
    assert_eq!(answer.status, 503, "{answer:?}");
    let create = Request::new("POST", "/create_order").with_body(&valid_order(1));
    database
        .administer("SET GLOBAL enforce_storage_engine = DEFAULT")
        .unwrap();
    // In a session of its own, which begins with that.
    database
        .administer("ALTER TABLE orders.orders ENGINE = InnoDB")
        .unwrap();
    assert_eq!(native.get("/init").status, 200);
    native.await_ready();
    assert_eq!(native.send(&create).status, 200);
    // A later change is detected at the next start.
    database
        .administer("ALTER TABLE orders.orders ENGINE = MyISAM")
        .unwrap();
    let native = start_native(&database.url("orders"));
    await_that("the reason is told", || {
        native.get("/readyz").body.contains("has the engine MyISAM")
    });
    database
        .administer("ALTER TABLE orders.orders ENGINE = InnoDB")
        .unwrap();
    native.await_ready();
}

/// The outbox or the triggers were dropped: they are created again.
#[test]
fn what_was_dropped_is_made_again() {
    let name = "constraints_dropped";
    let Some(database) = Database::shared(name) else {
        return;
    };
    let variables = [
        ("DATABASE_URL", &*database.create(name)),
        ("EVENTS_URL", "http://127.0.0.1:1/"),
    ];
    let native = NativeProcess::start(&ORDERS, &variables);
    native.await_ready();
    for (number, table) in ["orders_outbox", "orders_dead_letters"].into_iter().enumerate() {
        database.query(name, &format!("DROP TABLE {table}"));
        let id = i32::try_from(number).unwrap() + 1;
        let create = Request::new("POST", "/create_order").with_body(&valid_order(id));
        await_that("orders are stored again", || native.send(&create).status == 200);
        await_that("dead letters are listed again", || {
            native.get("/dead_letters").status == 200
        });
        let waiting = database.query(name, "SELECT COUNT(*) FROM orders_outbox").remove(0);
        assert!(waiting.get::<i64, _>(0) > Some(0));
    }
}
