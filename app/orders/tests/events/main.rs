//! Events: every committed change is sent at least once, those of one order in sequence, and no client waits for the
//! receiver.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod delivery;
mod failed_events;
mod outages;
#[path = "../support/mod.rs"]
mod support;
mod trace;
mod upgrade;

use std::sync::Arc;

use service_tests::database::Database;
use service_tests::http::Request;
use service_tests::native_process::NativeProcess;
use support::receiver::Receiver;
use support::ORDERS;

/// A database of this name, a receiver, and the URL of the database.
fn start_database_and_receiver(name: &str) -> Option<(Arc<Database>, String, Receiver)> {
    let database = Database::shared(name)?;
    let url = database.create(name);
    Some((database, url, Receiver::start()))
}

fn start_service(database_url: &str, events_url: &str) -> NativeProcess {
    let native = NativeProcess::start(&ORDERS, &[("DATABASE_URL", database_url), ("EVENTS_URL", events_url)]);
    native.await_ready();
    native
}

/// The secret of a service that signs.
const SECRET: &str = "a secret of sixteen";

/// Starts a service that signs its requests, and believes the responses that are signed.
fn start_signing_service(database_url: &str, events_url: &str) -> NativeProcess {
    let variables = [
        ("DATABASE_URL", database_url),
        ("EVENTS_URL", events_url),
        ("EVENTS_SECRET", SECRET),
    ];
    NativeProcess::start(&ORDERS, &variables)
}

fn order_json(id: i32, quantity: i32) -> String {
    format!(
        r#"{{"order_id":{id},"product_id":1,"quantity":{quantity},"amount":56.5,"shipping":1,"tax":0.01,"shipping_address":"Süd \"7\""}}"#
    )
}

fn send_request(native: &NativeProcess, method: &str, target: &str, body: &str) -> u16 {
    native.send(&Request::new(method, target).with_body(body)).status
}

/// A trace context, of which the last digits of the trace id are this number.
fn traceparent(number: u32) -> String {
    format!("00-4bf92f3577b34da6a3ce9{number:011}-00f067aa0ba902b7-01")
}

fn send_traced_request(native: &NativeProcess, method: &str, target: &str, body: &str, traceparent: &str) -> u16 {
    let request = Request::new(method, target).header("traceparent", traceparent);
    native.send(&request.with_body(body)).status
}

fn count_waiting_events(database: &Database, name: &str) -> i64 {
    database
        .query(name, "SELECT COUNT(*) FROM orders_outbox")
        .remove(0)
        .take(0)
        .unwrap()
}

fn read_metric(native: &NativeProcess, name: &str) -> Option<u64> {
    let metrics = native.get("/metrics").body;
    let line = metrics
        .lines()
        .find_map(|line| line.strip_prefix(&format!("{name} ")))?;
    line.parse().ok()
}

fn list_dead_letters(native: &NativeProcess) -> Vec<serde_json::Value> {
    let answer = native.get("/dead_letters");
    assert_eq!(answer.status, 200, "{answer:?}");
    let json: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
    json["dead_letters"].as_array().unwrap().clone()
}
