//! The subscriber is away while orders change: every event arrives once, those of an order in their order.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::demo::{Diagnosis, assert_each_is_announced, events_of, priced, scale, whole};
use crate::harness::{await_that, eventually};
use crate::load::Load;

/// How long it is away. Not scaled: the load is what counts.
const AWAY: Duration = Duration::from_secs(60);

#[test]
#[ignore = "needs the demo, see main.rs"]
fn every_event_arrives_once_and_in_order_though_the_subscriber_was_away_for_a_minute() {
    let _diagnosis = Diagnosis;
    whole();
    let load = Load::start(&["orders"; 4], Duration::from_millis(20), priced);
    await_that("the load runs", || load.done() > 5);
    scale("events", 0);
    let start = Instant::now();
    let before = load.done();
    await_that("the load runs for a minute", || start.elapsed() >= AWAY);
    assert!(load.done() > before + 20, "orders go on without the subscriber");
    scale("events", 1);
    let (first, last) = load.ids();
    let done = load.stop();
    assert!(done.failures.is_empty(), "{}", done.failures.join("\n"));
    let expected = 3 * done.orders.len();
    println!("{} orders, {expected} events", done.orders.len());

    // As many as have arrived when no more do: more than expected would be seen as well.
    let mut last_count = 0;
    let events = eventually("all events arrive", || {
        let events = events_of(first, last)?;
        let rest = events.len() == last_count && events.len() >= expected;
        last_count = events.len();
        rest.then_some(events)
    });
    assert_eq!(events.len(), expected);
    assert_each_is_announced(&events, &done.orders);
    let mut ids: Vec<&Value> = events.iter().map(|event| &event["id"]).collect();
    ids.sort_by_key(|id| id.to_string());
    ids.dedup();
    assert_eq!(ids.len(), expected);
}
