//! The service over HTTP: with the built-in rules, and with an unavailable sidecar.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::net::TcpListener;
use std::time::{Duration, Instant};

use service_tests::http::Request;
use service_tests::native_process::NativeProcess;
use service_tests::refusing_port::RefusingPort;
use service_tests::{scaled, Service};

const PRICING: Service = Service {
    program: env!("CARGO_BIN_EXE_pricing"),
    url_variable: "PRICING_URL",
};

const GOODS: &str = r#"{"quantity":2,"amount":56,"shipping_address":"Mataderos 2312, Argentina"}"#;

fn price() -> Request {
    Request::new("POST", "/price")
        .header("content-type", "application/json")
        .with_body(GOODS)
}

#[test]
fn prices_by_the_rules_that_are_built_in() {
    let service = NativeProcess::start(&PRICING, &[]);
    let answer = service.send(&price());
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(answer.body, r#"{"shipping":12,"tax":14.28,"region":"argentina"}"#);
    assert_eq!(service.get("/readyz").status, 200);
    assert!(service.get("/rules").body.contains("tax_permille"));
    let rules = r#"{"tax_permille":0,"shipping":{"base":0,"per_item":0}}"#;
    let change = |rules| Request::new("PUT", "/rules").with_body(rules);
    assert_eq!(
        service.send(&change(rules)).error_code().as_deref(),
        Some("rules_are_fixed")
    );
    assert_eq!(
        service.send(&change("{}")).error_code().as_deref(),
        Some("invalid_rules")
    );
    let wrong = Request::new("POST", "/price").with_body(r#"{"quantity":0}"#);
    assert_eq!(service.send(&wrong).error_code().as_deref(), Some("invalid_goods"));
}

/// Without its sidecar, the service cannot compute prices, but is alive.
#[test]
fn says_so_when_its_sidecar_is_away() {
    let refusing = RefusingPort::new();
    let port = refusing.number().to_string();
    let token = "a token of sixteen";
    let service = NativeProcess::start(&PRICING, &[("DAPR_HTTP_PORT", &port), ("APP_API_TOKEN", token)]);
    assert_eq!(service.send(&price()).error_code().as_deref(), Some("not_the_sidecar"));
    let answer = service.send(&price().header("dapr-api-token", token));
    assert_eq!(answer.status, 503, "{}", answer.body);
    assert_eq!(answer.error_code().as_deref(), Some("rules_unavailable"));
    assert_eq!(service.get("/readyz").status, 503);
    assert_eq!(service.get("/healthz").status, 200);
}

/// A caller that gives up an attempt must find it ended.
#[test]
fn waits_no_longer_for_its_rules_than_callers_wait() {
    // Connections are accepted by the system, and nobody answers.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = silent.local_addr().unwrap().port().to_string();
    let service = NativeProcess::start(&PRICING, &[("DAPR_HTTP_PORT", &port)]);
    let start = Instant::now();
    let answer = service.send(&price());
    assert_eq!(answer.error_code().as_deref(), Some("rules_unavailable"));
    // One attempt takes two seconds, and all of them eight.
    assert!(
        start.elapsed() < scaled(Duration::from_secs(4)),
        "{:?}",
        start.elapsed()
    );
}
