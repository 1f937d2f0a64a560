//! The events that the service announces are shown soon after a change.

use e2e::{answered, eventually};
use serde_json::Value;

use crate::orders::{browser_with, button, id};

/// How many deletions were announced so far.
fn deletions() -> u64 {
    let (status, events) = answered("GET", "/events?limit=1", None);
    assert_eq!(status, 200, "{events}");
    let count = events["counts"].get("order.deleted").and_then(Value::as_u64);
    count.unwrap_or(0)
}

#[test]
#[ignore = "needs a cluster, see main.rs"]
fn a_change_made_here_is_soon_among_the_events_and_counted() {
    let browser = browser_with(1);
    // Those of different orders come in any order: first all that were made until now.
    eventually("no event waits", || {
        let (_, metrics) = answered("GET", "/metrics", None);
        metrics.as_str()?.contains("\norders_events_waiting 0\n").then_some(())
    });
    let before = deletions();

    browser.click(&button("Delete", 1));
    browser.await_text("#event-list", &format!("Order {} deleted", id(1)));
    assert_eq!(deletions(), before + 1);
    // Earlier deletions of the same order are listed as well: the page may not have asked again yet.
    let expected = format!("{}\ndeleted", before + 1);
    eventually("the page counts it", || {
        let shown = browser.text("#event-counts li:last-child").replace(',', "");
        (shown == expected).then_some(())
    });
}
