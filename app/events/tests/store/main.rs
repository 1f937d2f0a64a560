//! Events on a real database: deduplication, pages, counts, migrations.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../support/mod.rs"]
mod support;
mod tables;

use std::sync::Arc;
use std::thread;

use serde_json::Value;
use service_tests::await_that;
use service_tests::database::Database;
use service_tests::http::Request;
use service_tests::native_process::NativeProcess;
use support::{event, post, start_native, EVENTS};

fn database(name: &str) -> Option<(Arc<Database>, String)> {
    let database = Database::shared(name)?;
    let url = database.create(name);
    Some((database, url))
}

fn ready_native(url: &str) -> NativeProcess {
    let native = start_native(url);
    native.await_ready();
    native
}

/// Sends an event that must be accepted, and returns whether it was new.
fn store(native: &NativeProcess, event: &str) -> bool {
    let response = native.send(&post(event));
    assert_eq!(response.status, 200, "{response:?}");
    let answer: Value = serde_json::from_str(&response.body).unwrap();
    let event: Value = serde_json::from_str(event).unwrap();
    assert_eq!(answer["id"], event["id"], "the answer names the event");
    answer["new"].as_bool().unwrap()
}

fn list(native: &NativeProcess, target: &str) -> Value {
    let response = native.get(target);
    assert_eq!(response.status, 200, "{response:?}");
    serde_json::from_str(&response.body).unwrap()
}

fn count(database: &Database, name: &str, sql: &str) -> i64 {
    database.query(name, sql).remove(0).take(0).unwrap()
}

#[test]
fn an_event_that_arrives_often_at_several_replicas_is_stored_once() {
    const EVENTS: usize = 40;
    let Some((_database, url)) = database("store_once") else {
        return;
    };
    let processes = [ready_native(&url), ready_native(&url)];
    let new: usize = thread::scope(|scope| {
        let senders: Vec<_> = (0..8)
            .map(|sender| {
                let native = &processes[sender % 2];
                scope.spawn(move || {
                    let sent = (0..EVENTS).map(|id| store(native, &event(&id.to_string(), "order.created")));
                    sent.filter(|new| *new).count()
                })
            })
            .collect();
        senders.into_iter().map(|sender| sender.join().unwrap()).sum()
    });
    assert_eq!(new, EVENTS);
    for native in &processes {
        let page = list(native, "/events?limit=1000");
        assert_eq!(page["events"].as_array().unwrap().len(), EVENTS);
        assert_eq!(page["total"], EVENTS);
        assert_eq!(page["counts"], serde_json::json!({"order.created": EVENTS}));
    }
    let received = |outcome: &str| -> usize {
        let prefix = format!("events_received_total{{outcome=\"{outcome}\"}} ");
        let metrics = processes.iter().map(|native| native.get("/metrics").body);
        metrics
            .map(|text| -> usize {
                let value = text.lines().find_map(|line| line.strip_prefix(prefix.as_str()));
                value.unwrap().parse().unwrap()
            })
            .sum()
    };
    assert_eq!((received("new"), received("repeated")), (EVENTS, 7 * EVENTS));
}

#[test]
fn pages_follow_each_other_without_gap_or_overlap() {
    let Some((_database, url)) = database("store_pages") else {
        return;
    };
    let native = ready_native(&url);
    for id in 0..25 {
        assert!(store(
            &native,
            &event(&id.to_string(), if id % 5 == 0 { "rare" } else { "frequent" })
        ));
        // A rejected event leaves a gap between the positions.
        assert!(!store(&native, &event(&id.to_string(), "again")));
    }
    let mut target = Some("/events?limit=10".to_owned());
    let mut ids = Vec::new();
    while let Some(page) = target {
        let response = native.get(&page);
        let json: Value = serde_json::from_str(&response.body).unwrap();
        let events = json["events"].as_array().unwrap().clone();
        ids.extend(
            events
                .iter()
                .map(|event| event["id"].as_str().unwrap().parse::<i32>().unwrap()),
        );
        assert_eq!(json["total"], 25);
        target = response.header("link").map(|link| {
            let next = link.strip_prefix('<').unwrap().strip_suffix(">; rel=\"next\"").unwrap();
            assert!(next.starts_with("/events?limit=10&before="), "{link}");
            next.to_owned()
        });
        // A concurrent event does not shift the pages.
        assert!(!store(&native, &event("24", "again")));
    }
    assert_eq!(ids, (0..25).rev().collect::<Vec<_>>());
    let counts = native.get("/events?limit=1").body;
    assert!(counts.contains(r#""counts":{"frequent":20,"rare":5}"#), "{counts}");
}

#[test]
fn pages_of_large_events_end_early() {
    let Some((_database, url)) = database("store_large") else {
        return;
    };
    let native = ready_native(&url);
    for id in 0..20 {
        let data = "x".repeat(60_000);
        let event = format!(r#"{{"specversion":"1.0","id":"{id}","source":"/a","type":"large","data":"{data}"}}"#);
        assert!(store(&native, &event));
    }
    let first = native.get("/events?limit=1000");
    assert!((500_000..700_000).contains(&first.body.len()), "{}", first.body.len());
    let next = first.header("link").unwrap();
    let target = next.strip_prefix('<').unwrap().split('>').next().unwrap();
    let (first, second): (Value, Value) = (serde_json::from_str(&first.body).unwrap(), list(&native, target));
    let ids = |page: &Value| -> Vec<i64> {
        let events = page["events"].as_array().unwrap().iter();
        events
            .map(|event| event["id"].as_str().unwrap().parse().unwrap())
            .collect()
    };
    assert_eq!(ids(&first), (11..20).rev().collect::<Vec<_>>());
    assert_eq!(ids(&second), (2..11).rev().collect::<Vec<_>>());
}

/// Senders may use any number of types; the response stays small.
#[test]
fn only_the_most_frequent_types_are_counted_one_by_one() {
    let Some((_database, url)) = database("store_types") else {
        return;
    };
    let native = ready_native(&url);
    for id in 0..120 {
        assert!(store(&native, &event(&id.to_string(), &format!("type-{}", id % 110))));
    }
    let page = list(&native, "/events?limit=1");
    let counts = page["counts"].as_object().unwrap();
    assert_eq!((counts.len(), page["total"].as_i64()), (100, Some(120)));
    assert_eq!(counts["type-9"], 2);
}

#[test]
fn the_database_away_is_told_and_found_again() {
    let Some(database) = Database::start("store_away") else {
        return;
    };
    let url = database.url("orders");
    let native = ready_native(&url);
    assert!(store(&native, &event("1", "a")));
    database.container("stop");
    for request in [post(&event("2", "a")), Request::new("GET", "/events")] {
        let response = native.send(&request);
        assert_eq!(
            response.error_code().as_deref(),
            Some("database_unavailable"),
            "{response:?}"
        );
        assert_eq!(response.header("retry-after"), Some("1"));
    }
    assert_eq!(native.get("/healthz").status, 200);
    database.container("start");
    native.await_ready();
    assert!(store(&native, &event("2", "a")));
    assert!(!store(&native, &event("1", "a")));
    assert_eq!(list(&native, "/events")["total"], 2);
}

fn batch(events: &[String]) -> Request {
    Request::new("POST", "/events")
        .header("content-type", "application/cloudevents-batch+json")
        .with_body(&format!("[{}]", events.join(",")))
}

#[test]
fn a_batch_is_stored_as_a_whole_and_each_event_once() {
    let name = "store_batch";
    let Some((database, url)) = database(name) else {
        return;
    };
    let native = ready_native(&url);
    assert!(store(&native, &event("2", "S\u{fc}d \\\" \u{1f6a3}")));
    let events: Vec<String> = (1..=300)
        .map(|id| event(&id.to_string(), "S\u{fc}d \\\" \u{1f6a3}"))
        .collect();
    let answer: Value = serde_json::from_str(&native.send(&batch(&events)).body).unwrap();
    assert_eq!(
        (&answer["new"], answer["ids"].as_array().unwrap().len()),
        (&299.into(), 300)
    );
    let again: Value = serde_json::from_str(&native.send(&batch(&events)).body).unwrap();
    assert_eq!(again["new"], 0);
    let page = list(&native, "/events?limit=1000");
    assert_eq!(
        (&page["total"], page["events"].as_array().unwrap().len()),
        (&300.into(), 300)
    );
    let stored = native.get("/events?limit=1").body;
    assert!(stored.contains(&events[299]), "{stored}");

    let wrong = [events[0].clone(), event("301", "x"), "{}".to_owned()];
    let refused = native.send(&batch(&wrong));
    assert_eq!(refused.error_code().as_deref(), Some("invalid_event"), "{refused:?}");
    assert_eq!(native.send(&batch(&[])).status, 422);
    assert_eq!(list(&native, "/events")["total"], 300);
    assert_eq!(count(&database, name, "SELECT COUNT(*) FROM events"), 300);
}

#[test]
fn events_are_taken_from_who_knows_the_secret() {
    let name = "store_secret";
    let Some((_database, url)) = database(name) else {
        return;
    };
    let secret = "0123456789abcdef";
    let native = NativeProcess::start(&EVENTS, &[("DATABASE_URL", url.as_str()), ("EVENTS_SECRET", secret)]);
    native.await_ready();
    let secret = microservice::signature::Secret::new(secret);
    let body = event("1", "signed");
    let refused = native.send(&post(&body));
    assert_eq!(
        (refused.status, refused.error_code().as_deref()),
        (401, Some("bad_signature"))
    );
    let forged = microservice::signature::Secret::new("fedcba9876543210").sign_request(body.as_bytes());
    assert_eq!(native.send(&post(&body).header("x-signature", &forged)).status, 401);
    let signature = secret.sign_request(body.as_bytes());
    let taken = native.send(&post(&body).header("x-signature", &signature));
    assert_eq!(taken.status, 200, "{taken:?}");
    let answered = taken.header("x-signature").unwrap();
    assert!(secret.verify_response(&signature, taken.body.as_bytes(), answered));
    assert_eq!(list(&native, "/events")["total"], 1);
}

/// A sidecar would deliver it again and again, before all others. What the database refuses may be right for it later.
#[test]
fn only_what_can_never_be_stored_is_dropped_by_a_sidecar() {
    let name = "store_dropped";
    let Some((database, url)) = database(name) else {
        return;
    };
    let native = ready_native(&url);
    database.query(name, "ALTER TABLE events ADD CHECK (type <> 'x')");
    let sidecar = [("DATABASE_URL", url.as_str()), ("DAPR_HTTP_PORT", "1")];
    let subscriber = NativeProcess::start(&EVENTS, &sidecar);
    subscriber.await_ready();
    let large = " ".repeat(1_100_000);
    for (request, status) in [
        (post("{}"), 422),
        (post(r#"{"source":"/me","id":"7"}"#), 422),
        (post(&large), 413),
        (batch(&[large]), 413),
    ] {
        assert_eq!(native.send(&request).status, status);
        let dropped = subscriber.send(&request);
        assert_eq!((dropped.status, dropped.body.as_str()), (200, r#"{"status":"DROP"}"#));
    }
    let message = r#"an event is dropped: source \"/me\", id \"7\": "#;
    await_that("what is dropped is named", || {
        subscriber.log().iter().any(|line| line.contains(message))
    });
    let refused = post(&event("1", "x"));
    assert_eq!(native.send(&refused).status, 422);
    let waits = subscriber.send(&refused);
    assert_eq!(
        (waits.status, waits.error_code().as_deref(), waits.header("retry-after")),
        (503, Some("database_unavailable"), Some("1"))
    );
    let stored = subscriber.send(&post(&event("2", "y")));
    assert!(stored.body.contains(r#""new":true"#), "{stored:?}");
    database.query(name, "ALTER TABLE events DROP CONSTRAINT CONSTRAINT_1");
    assert!(store(&subscriber, &event("1", "x")), "it comes again");
}

#[test]
fn events_are_removed_when_they_are_old() {
    let name = "store_retention";
    let Some((database, url)) = database(name) else {
        return;
    };
    let native = ready_native(&url);
    let kind = |id| if id == 1 { "rare" } else { "old" };
    let events: Vec<String> = (1..=400).map(|id| event(&id.to_string(), kind(id))).collect();
    assert_eq!(native.send(&batch(&events)).status, 200);
    database.query(
        name,
        "UPDATE events SET received_at = NOW() - INTERVAL 31 DAY WHERE position <= 390",
    );
    drop(native);
    let native = ready_native(&url);
    await_that("old events are gone, and counted no more", || {
        list(&native, "/events")["total"] == 10
    });
    assert_eq!(
        list(&native, "/events")["counts"],
        serde_json::json!({ "old": 10 }),
        "no type without events"
    );
    assert_eq!(count(&database, name, "SELECT COUNT(*) FROM events"), 10);
    await_that("nor is one kept", || {
        count(&database, name, "SELECT COUNT(*) FROM events_counts") == 1
    });
    let kept = NativeProcess::start(
        &EVENTS,
        &[("DATABASE_URL", url.as_str()), ("EVENTS_RETENTION_DAYS", "0")],
    );
    kept.await_ready();
    assert_eq!(list(&kept, "/events")["total"], 10);
}
