//! Requests to the service from outside the cluster.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::{eventually, scaled, url};

/// Waits until the service has answered for five seconds without a break.
///
/// A pod that becomes ready, or stops being so, is heard of by the nodes' packet filters up to a few seconds later: one
/// good answer may be followed by refused connections.
#[track_caller]
pub fn reachable() {
    let mut since = None;
    eventually("the service answers without a break", || {
        match request(&http_client(), "GET", "/readyz", None) {
            Ok((200, _)) => since.get_or_insert_with(Instant::now),
            _ => {
                since = None;
                return None;
            }
        };
        since.filter(|since| since.elapsed() >= Duration::from_secs(5))
    });
}

/// An HTTP client that keeps connections, as services do.
pub fn http_client() -> ureq::Agent {
    ureq::Agent::config_builder()
        .timeout_global(Some(scaled(Duration::from_secs(60))))
        .http_status_as_error(false)
        // A proxy that the shell names does not reach this host's loopback, nor the nodes.
        .proxy(None)
        .build()
        .into()
}

/// Status and body of a request; `Err` when no answer came.
pub fn request(
    agent: &ureq::Agent,
    method: &str,
    path: &str,
    body: Option<&Value>,
) -> Result<(u16, String), ureq::Error> {
    let address = url(path);
    let mut response = match (method, body) {
        ("GET", None) => agent.get(&address).call()?,
        ("DELETE", None) => agent.delete(&address).call()?,
        ("POST", body) => {
            let bytes = body.map(Value::to_string).unwrap_or_default();
            agent
                .post(&address)
                .header("Content-Type", "application/json")
                .send(bytes)?
        }
        _ => panic!("not foreseen: {method} with a body"),
    };
    Ok((response.status().as_u16(), response.body_mut().read_to_string()?))
}

/// Status and JSON body of a request that must be answered.
#[track_caller]
pub fn answered(method: &str, path: &str, body: Option<&Value>) -> (u16, Value) {
    let (status, text) =
        request(&http_client(), method, path, body).unwrap_or_else(|error| panic!("{method} {path}: {error}"));
    (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
}

/// An order that the service accepts.
pub fn order(order_id: i32) -> Value {
    serde_json::json!({
        "order_id": order_id, "product_id": 12, "quantity": 2,
        "amount": 56.55, "shipping": 15.0, "tax": 2, "shipping_address": "Mataderos 2312"
    })
}
