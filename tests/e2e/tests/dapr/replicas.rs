//! Pods come and go under load, and no client notices.

use std::time::Duration;

use crate::demo::{Diagnosis, assert_each_is_announced, events_of, namespace, scale, unpriced, whole};
use crate::harness::{await_that, eventually, kubectl};
use crate::load::Load;

fn roll_out(deployment: &str) {
    let name = format!("deployment/{deployment}");
    kubectl(&["--namespace", namespace(), "rollout", "restart", &name]).success();
    kubectl(&["--namespace", namespace(), "rollout", "status", &name, "--timeout=10m"]).success();
}

#[test]
#[ignore = "needs the demo, see main.rs"]
fn rollouts_and_scaling_lose_no_request_and_no_event() {
    let _diagnosis = Diagnosis;
    whole();
    // The page reaches the orders through two sidecars, which keep their connections.
    let load = Load::start(
        &["orders", "orders", "page", "page"],
        Duration::from_millis(50),
        unpriced,
    );
    await_that("the load runs", || load.done() > 5);
    for deployment in ["pricing", "events", "orders", "page"] {
        roll_out(deployment);
    }
    for deployment in ["orders", "pricing", "events", "page"] {
        scale(deployment, 2);
        scale(deployment, 1);
    }
    let (first, last) = load.ids();
    let done = load.stop();
    println!("{} orders, {} failures", done.orders.len(), done.failures.len());
    assert!(done.failures.is_empty(), "{}", done.failures.join("\n"));
    let expected = 3 * done.orders.len();
    let events = eventually("all events arrive", || {
        events_of(first, last).filter(|events| events.len() >= expected)
    });
    assert_eq!(events.len(), expected);
    assert_each_is_announced(&events, &done.orders);
}
