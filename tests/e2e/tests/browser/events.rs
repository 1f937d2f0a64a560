//! The events that the service announces are shown soon after a change.

use e2e::{answered, eventually};
use serde_json::{Value, json};

use crate::orders::{browser_with, button, id};

/// The newest events, and how many there were of each type.
fn events() -> Value {
    let (status, events) = answered("GET", "/events?limit=1000", None);
    assert_eq!(status, 200, "{events}");
    events
}

/// Waits until the order's newest event is of this type: those of one order arrive in their order.
fn await_newest_event(order_id: i32, event_type: &str) {
    let subject = json!(order_id.to_string());
    eventually(&format!("{event_type} of order {order_id} is announced"), || {
        let events = events();
        let newest = events["events"]
            .as_array()?
            .iter()
            .find(|event| event["subject"] == subject)?;
        (newest["type"] == event_type).then_some(())
    });
}

#[test]
#[ignore = "needs a cluster, see main.rs"]
fn a_change_made_here_is_soon_among_the_events_and_counted() {
    let browser = browser_with(1);
    await_newest_event(id(1), "order.created");
    let before = events()["counts"]["order.deleted"].as_u64().unwrap_or(0);

    browser.click(&button("Delete", 1));
    await_newest_event(id(1), "order.deleted");
    browser.await_text("#event-list", &format!("Order {} deleted", id(1)));
    // Deletions of other orders may have arrived meanwhile, left by the tests before.
    eventually("the page counts it", || {
        let deleted = events()["counts"]["order.deleted"].as_u64()?;
        let shown = browser.text("#event-counts li:last-child").replace(',', "");
        (deleted > before && shown == format!("{deleted}\ndeleted")).then_some(())
    });
}
