//! What is behind an order goes away and comes back: nothing is half stored, nothing is lost, no service is restarted.

use serde_json::Value;
use service_tests::case::unused_ids;

use crate::demo::{
    Diagnosis, StateAway, containers, events_of, is_ready, kill, namespace, priced, scale, send, sql, try_send,
    types_of, unpriced, whole,
};
use crate::harness::{await_that, eventually, kubectl, pods};

fn only_pod(app: &str) -> Value {
    let pods = pods(namespace(), &format!("app={app}"));
    assert_eq!(pods.len(), 1, "{app}");
    pods[0].clone()
}

/// Neither the order nor an event of it is there.
#[track_caller]
fn nothing_is_stored(id: i32) {
    assert_eq!(send("GET", &format!("/orders/{id}"), None).0, 404);
    let left = sql(&format!("SELECT COUNT(*) FROM orders_outbox WHERE order_id = {id}"));
    assert_eq!(left.trim(), "0");
}

#[test]
#[ignore = "needs the demo, see main.rs"]
fn without_pricing_an_order_waits_for_its_price_and_says_so() {
    let _diagnosis = Diagnosis;
    whole();
    scale("pricing", 0);
    let id = unused_ids();
    let answer = eventually("the order is refused", || {
        let response = try_send("POST", "/orders", Some(&unpriced(id)))?;
        assert_eq!(response.status, 503, "{}", response.body);
        Some(response)
    });
    assert_eq!(answer.error_code().as_deref(), Some("pricing_unavailable"));
    assert!(
        answer
            .body
            .contains("the pricing service does not answer; nothing was stored"),
        "{}",
        answer.body
    );
    assert!(answer.header("retry-after").is_some());
    nothing_is_stored(id);
    // An order that comes with its price needs nobody.
    assert_eq!(send("POST", "/orders", Some(&priced(id))).0, 201);
    // Nor does it hold up the page.
    assert_eq!(send("GET", "/orders?limit=1", None).0, 200);
    scale("pricing", 1);
    whole();
    assert_eq!(send("DELETE", &format!("/orders/{id}"), None).0, 204);
}

#[test]
#[ignore = "needs the demo, see main.rs"]
fn without_its_state_pricing_says_what_is_missing_and_goes_on_when_it_is_back() {
    let _diagnosis = Diagnosis;
    whole();
    let before = containers(&only_pod("pricing"));
    let away = StateAway::begin();
    let id = unused_ids();
    let response = try_send("POST", "/orders", Some(&unpriced(id)));
    drop(away);
    let response = response.expect("an answer");
    assert_eq!(
        response.error_code().as_deref(),
        Some("pricing_unavailable"),
        "{}",
        response.body
    );
    nothing_is_stored(id);
    whole();
    let after = containers(&only_pod("pricing"));
    for (before, after) in [(before.0, after.0), (before.1, after.1)] {
        assert_eq!(before["restartCount"], after["restartCount"], "{after}");
    }
}

#[test]
#[ignore = "needs the demo, see main.rs"]
fn the_database_may_go_and_come_back() {
    let _diagnosis = Diagnosis;
    whole();
    kubectl(&[
        "--namespace",
        namespace(),
        "delete",
        "pod",
        "mariadb-0",
        "--grace-period=1",
        "--wait=false",
    ])
    .success();
    let id = unused_ids();
    eventually("the service says that its database is away", || {
        let response = try_send("POST", "/orders", Some(&priced(id)))?;
        (response.status == 503).then_some(())
    });
    await_that("the database is back", || {
        let pods = pods(namespace(), "app=mariadb");
        pods.len() == 1 && pods.iter().all(is_ready)
    });
    whole();
    // It may have been stored before the database went.
    assert!(matches!(send("DELETE", &format!("/orders/{id}"), None).0, 204 | 404));
}

/// No service is started again, and every event arrives once.
#[test]
#[ignore = "needs the demo, see main.rs"]
fn a_sidecar_that_is_killed_takes_nothing_along() {
    let _diagnosis = Diagnosis;
    whole();
    let id = unused_ids();
    for (number, app) in ["orders", "pricing", "events"].into_iter().enumerate() {
        let pod = only_pod(app);
        let (sidecar, service) = containers(&pod);
        kill(&pod, &sidecar);
        let id = id + i32::try_from(number).unwrap();
        // A pod is not ready while its sidecar is not, so a single one of orders cannot be reached for that time: each request
        // is sent until it is answered. Either the order waits for the sidecar, or it is told so and nothing is stored.
        let answered =
            |method: &str, path: &str, body: Option<&Value>| eventually("an answer", || try_send(method, path, body));
        let path = format!("/orders/{id}");
        let response = answered("POST", "/orders", Some(&unpriced(id)));
        if response.status == 503 {
            assert_eq!(response.error_code().as_deref(), Some("pricing_unavailable"), "{app}");
            assert_eq!(answered("GET", &path, None).status, 404, "{app}");
            assert!(
                matches!(answered("POST", "/orders", Some(&priced(id))).status, 201 | 409),
                "{app}"
            );
        } else {
            assert!(matches!(response.status, 201 | 409), "{app}: {}", response.body);
        }
        assert!(matches!(answered("DELETE", &path, None).status, 204 | 404), "{app}");
        let events = eventually("the events of the order arrive", || {
            events_of(id, id).filter(|events| events.len() >= 2)
        });
        assert_eq!(types_of(&events, id), ["order.created", "order.deleted"], "{app}");
        whole();
        let count = |container: &Value| container["restartCount"].as_i64().unwrap();
        // A node tells of it a little after the sidecar works again, which may end once more while a component is not there.
        let (_, service_now) = eventually("the node tells of the restart", || {
            let now = containers(&only_pod(app));
            (count(&now.0) > count(&sidecar)).then_some(now)
        });
        assert_eq!(count(&service_now), count(&service), "{app}");
    }
}

/// The broker keeps on disk what it has taken; what it has not is in the outbox.
#[test]
#[ignore = "needs the demo, see main.rs"]
fn the_broker_may_go_and_come_back() {
    let _diagnosis = Diagnosis;
    whole();
    let first = unused_ids();
    for id in first..first + 20 {
        assert_eq!(send("POST", "/orders", Some(&priced(id))).0, 201);
        if id == first + 5 {
            kubectl(&[
                "--namespace",
                namespace(),
                "delete",
                "pod",
                "nats-0",
                "--grace-period=0",
                "--force",
            ])
            .success();
        }
        assert_eq!(send("DELETE", &format!("/orders/{id}"), None).0, 204);
    }
    let events = eventually("all events arrive", || {
        events_of(first, first + 19).filter(|events| events.len() >= 40)
    });
    for id in first..first + 20 {
        assert_eq!(types_of(&events, id), ["order.created", "order.deleted"]);
    }
}
