//! With a Dapr sidecar: prices are requested and events published through it, and nothing is stored without a price.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::sync::Arc;

use serde_json::{json, Value};
use service_tests::await_that;
use service_tests::database::Database;
use service_tests::http::{Request, Response};
use service_tests::native_process::NativeProcess;
use support::sidecar::Sidecar;
use support::ORDERS;

fn start(name: &str) -> Option<(Arc<Database>, Sidecar, NativeProcess)> {
    let database = Database::shared(name)?;
    let url = database.create(name);
    let sidecar = Sidecar::start();
    let native = NativeProcess::start(&ORDERS, &[("DATABASE_URL", &url), ("DAPR_HTTP_PORT", &sidecar.port)]);
    native.await_ready();
    Some((database, sidecar, native))
}

/// An order without shipping and tax.
fn order(id: i32) -> Value {
    json!({"order_id": id, "product_id": 1, "quantity": 2, "amount": 56, "shipping_address": "Süd \"7\""})
}

fn send(native: &NativeProcess, method: &str, target: &str, order: &Value) -> Response {
    native.send(&Request::new(method, target).with_body(&order.to_string()))
}

#[test]
fn what_an_order_lacks_is_asked_of_pricing_and_every_change_is_published() {
    let Some((_, sidecar, native)) = start("dapr_flow") else {
        return;
    };
    let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let request = Request::new("POST", "/orders").header("traceparent", trace);
    let answer = native.send(&request.with_body(&order(1).to_string()));
    assert_eq!(answer.status, 201, "{}", answer.body);
    assert_eq!(answer.header("location"), Some("/orders/1"));
    assert_eq!(
        answer.body,
        r#"{"status":true,"price":{"shipping":5.9,"tax":11.76,"by":{"instance":"pricing-1","region":null}}}"#
    );
    let pricing_request = sidecar.requests("POST /v1.0/invoke/pricing/").remove(0);
    assert!(
        pricing_request.contains(&format!("traceparent: {trace}\r\n")),
        "{pricing_request}"
    );
    assert!(
        pricing_request.ends_with(r#"{"quantity":2,"amount":56,"shipping_address":"Süd \"7\""}"#),
        "{pricing_request}"
    );

    // Given values are kept; a complete order needs no request.
    let mut other = order(1);
    other["tax"] = json!(0);
    assert!(send(&native, "PUT", "/orders/1", &other).body.contains(r#""tax":0"#));
    other["shipping"] = json!(1);
    assert_eq!(
        send(&native, "POST", "/update_order", &other).body,
        r#"{"status":true}"#
    );
    assert_eq!(sidecar.requests("POST /v1.0/invoke/pricing/").len(), 2);
    assert_eq!(send(&native, "DELETE", "/orders/1", &Value::Null).status, 204);

    await_that("all changes are published", || {
        sidecar.requests("POST /v1.0/publish/").len() >= 4
    });
    let published = sidecar.requests("POST /v1.0/publish/pubsub/orders ");
    assert!(published
        .iter()
        .all(|event| event.contains("content-type: application/cloudevents+json\r\n")));
    let events: Vec<Value> = published
        .iter()
        .map(|event| serde_json::from_str(event.split("\r\n\r\n").nth(1).unwrap()).unwrap())
        .collect();
    let kinds: Vec<&Value> = events.iter().map(|event| &event["type"]).collect();
    assert_eq!(
        kinds,
        ["order.created", "order.updated", "order.updated", "order.deleted"]
    );
    // A sidecar takes the trace context of an event from the headers.
    for (index, (request, event)) in published.iter().zip(&events).enumerate() {
        let is_traced = index == 0;
        assert_eq!(
            request.contains(&format!("\r\ntraceparent: {trace}\r\n")),
            is_traced,
            "{request}"
        );
        assert_eq!(event["traceparent"] == trace, is_traced, "{event}");
    }

    assert_eq!(native.get("/events?limit=7").status, 200);
    let metadata: Value = serde_json::from_str(&native.get("/sidecar").body).unwrap();
    let components = json!([{"name": "pubsub", "type": "pubsub.jetstream"}]);
    assert_eq!(
        metadata,
        json!({"app_id": "orders", "version": "1.16.0", "components": components})
    );
}

#[test]
fn without_a_price_nothing_is_stored() {
    let name = "dapr_unpriced";
    let Some((database, sidecar, native)) = start(name) else {
        return;
    };
    for (status, body, code, reason) in [
        (
            500,
            r#"{"errorCode":"ERR_DIRECT_INVOKE","message":"no such host"}"#,
            503,
            "does not answer",
        ),
        (
            503,
            r#"{"status":false,"error":{"code":"rules_unavailable","message":"x"}}"#,
            503,
            "no rules",
        ),
        (200, "{}", 503, "names no price"),
        (
            422,
            r#"{"status":false,"error":{"code":"too_expensive","message":"too much"}}"#,
            422,
            "too much",
        ),
    ] {
        sidecar.pricing_answers(status, body);
        let answer = send(&native, "POST", "/create_order", &order(1));
        assert_eq!(answer.status, code, "{status}: {}", answer.body);
        assert!(answer.body.contains(reason), "{status}: {}", answer.body);
        assert!(!answer.body.contains("host"), "{}", answer.body);
        assert_eq!(answer.header("retry-after").is_some(), code == 503);
    }
    for table in ["orders", "orders_outbox"] {
        let mut rows = database.query(name, &format!("SELECT COUNT(*) FROM {table}"));
        assert_eq!(rows.remove(0).take::<i64, _>(0), Some(0), "{table}");
    }
    // All other invalid fields are reported, but not these two.
    let mut wrong = order(0);
    wrong["amount"] = json!(-1);
    let answer: Value = serde_json::from_str(&send(&native, "POST", "/orders", &wrong).body).unwrap();
    let fields: Vec<&Value> = answer["error"]["fields"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["field"])
        .collect();
    assert_eq!(fields, ["order_id", "amount"]);
    // Batches of orders are not priced.
    assert_eq!(send(&native, "POST", "/create_orders", &json!([order(1)])).status, 422);
}
