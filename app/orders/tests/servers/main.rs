//! Database servers with unusual configurations, or with errors: every response is correct.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod errors;
mod settings;
#[path = "../support/mod.rs"]
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
