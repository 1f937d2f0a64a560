//! Log lines, metrics, the `X-Served-By` header.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use service_tests::await_that;
use service_tests::database::Database;
use service_tests::http::Request;
use service_tests::native_process::NativeProcess;
use support::{start_native, ORDERS};

const AWAY: (&str, &str) = ("DATABASE_URL", "mysql://orders:secret@127.0.0.1:1/orders");

#[test]
fn each_request_is_one_log_line() {
    let native = NativeProcess::start(&ORDERS, &[AWAY]);
    for (method, target, id) in [
        ("GET", "/healthz?password=hidden", "first"),
        ("DELETE", "/orders/7", "second"),
        ("BREW", "/no\"where", "third"),
    ] {
        native.send(&Request::new(method, target).header("x-request-id", id));
    }
    native.get("/nope");
    let requests = || -> Vec<Value> {
        let lines = native.log();
        let values = lines.iter().map(|line| serde_json::from_str::<Value>(line).unwrap());
        values.filter(|line| line.get("path").is_some()).collect()
    };
    await_that("all requests are logged", || requests().len() >= 4);
    let lines = requests();
    assert_eq!(lines.len(), 4, "{lines:?}");
    for (line, (method, path, status, id)) in lines.iter().zip([
        ("GET", "/healthz", 200, Some("first")),
        ("DELETE", "/orders/7", 503, Some("second")),
        ("BREW", "/no\"where", 404, Some("third")),
        ("GET", "/nope", 404, None),
    ]) {
        assert_eq!((&line["method"], &line["path"]), (&method.into(), &path.into()));
        assert_eq!(line["status"], status);
        assert_eq!(line["level"], if status == 503 { "error" } else { "info" });
        assert!(line["duration_ms"].as_f64().unwrap() > 0.0, "{line}");
        assert!(line["time"].as_f64().unwrap() > 1.7e9, "{line}");
        match id {
            Some(id) => assert_eq!(line["request_id"], id),
            None => assert_eq!(line["request_id"].as_str().unwrap().len(), 16),
        }
    }
    let everything = native.log().concat();
    assert!(!everything.contains("secret") && !everything.contains("hidden"));
}

#[test]
fn levels_choose_what_is_logged() {
    let quiet = NativeProcess::start(&ORDERS, &[AWAY, ("LOG", "off")]);
    assert_eq!(quiet.get("/nope").status, 404);
    assert_eq!(quiet.get("/orders").status, 503);
    assert_eq!(quiet.log(), Vec::<String>::new());
}

#[test]
fn answers_say_who_served_them() {
    let native = NativeProcess::start(&ORDERS, &[AWAY, ("HOSTNAME", "host"), ("INSTANCE_NAME", "app-1")]);
    for target in ["/healthz", "/", "/nope", "/orders"] {
        let served_by = native.get(target).header("x-served-by").map(str::to_owned);
        assert_eq!(
            served_by.as_deref(),
            Some("app-1; build=native; mode=native"),
            "{target}"
        );
    }
    assert!(native.get("/healthz").body.contains(r#""instance":"app-1""#));
    let native = NativeProcess::start(&ORDERS, &[AWAY, ("HOSTNAME", "host")]);
    assert!(native.get("/").header("x-served-by").unwrap().starts_with("host; "));
}

/// The samples by name and labels.
fn metrics(native: &NativeProcess) -> BTreeMap<String, f64> {
    let text = native.get("/metrics").body;
    let (mut types, mut samples) = (BTreeSet::new(), BTreeMap::new());
    for line in text.lines() {
        if let Some(family) = line.strip_prefix("# TYPE ") {
            assert!(types.insert(family.split(' ').next().unwrap()), "{line} is there twice");
        } else if !line.starts_with("# HELP ") {
            let (name, value) = line.rsplit_once(' ').unwrap();
            let family = name.split('{').next().unwrap();
            let family = ["_bucket", "_sum", "_count"]
                .iter()
                .find_map(|suffix| family.strip_suffix(suffix).filter(|family| types.contains(family)))
                .unwrap_or(family);
            assert!(types.contains(family), "{line} has no type");
            let earlier = samples.insert(name.to_owned(), value.parse().unwrap());
            assert_eq!(earlier, None, "{line} is there twice");
        }
    }
    samples
}

#[test]
fn metrics_count_what_happens() {
    let name = "observability";
    let Some(database) = Database::shared(name) else {
        return;
    };
    let native = start_native(&database.create(name));
    native.await_ready();
    let before = metrics(&native);
    for id in 1..=5 {
        assert_eq!(native.get(&format!("/orders/{id}")).status, 404);
    }
    assert_eq!(native.get("/orders").status, 200);
    let after = metrics(&native);
    let rise = |name: &str| after[name] - before.get(name).unwrap_or(&0.0);
    assert_eq!(
        rise(r#"orders_requests_total{route="/orders/{id}",method="GET",status="404"}"#),
        5.0
    );
    assert_eq!(
        rise(r#"orders_requests_total{route="/orders",method="GET",status="200"}"#),
        1.0
    );
    let route = r#"route="/orders/{id}""#;
    let family = "orders_request_duration_seconds";
    assert_eq!(rise(&format!("{family}_count{{{route}}}")), 5.0);
    assert_eq!(rise(&format!("{family}_bucket{{{route},le=\"+Inf\"}}")), 5.0);
    assert!(rise(&format!("{family}_sum{{{route}}}")) > 0.0);
    let buckets: Vec<f64> = ["0.0005", "0.005", "0.05", "0.5", "5"]
        .iter()
        .map(|bound| after[&format!("{family}_bucket{{{route},le=\"{bound}\"}}")])
        .collect();
    assert!(buckets.is_sorted(), "{buckets:?}");
    assert!(after[r#"orders_database_connections{state="idle"}"#] >= 1.0);
    assert_eq!(after[r#"orders_database_connections{state="in_use"}"#], 0.0);
    assert_eq!(
        after[r#"orders_build_info{version="0.1.0",build="native",mode="native"}"#],
        1.0
    );
    assert!(after["process_start_time_seconds"] > 1.7e9);
}

#[test]
fn the_readmes_panels_have_their_metrics() {
    let readme = include_str!("../README.md");
    let (_, panels) = readme.split_once("## Metrics\n").unwrap();
    let panels = panels.split("\n## ").next().unwrap();
    let is_of_a_name = |character: char| character.is_ascii_lowercase() || character == '_';
    let named: BTreeSet<&str> = panels
        .split(|character| !is_of_a_name(character))
        .filter(|word| word.starts_with("orders_") || word.starts_with("process_"))
        .collect();
    assert!(named.len() > 8, "{named:?}");
    let name = "observability_panels";
    let Some(database) = Database::shared(name) else {
        return;
    };
    let url = database.create(name);
    let events = ("EVENTS_URL", "http://127.0.0.1:1/events");
    let native = NativeProcess::start(&ORDERS, &[("DATABASE_URL", url.as_str()), events]);
    native.await_ready();
    await_that("every metric of the README is there", || {
        let samples = metrics(&native);
        named
            .iter()
            .all(|name| samples.keys().any(|sample| sample.split('{').next() == Some(name)))
    });
}

#[test]
fn metrics_count_failures_of_the_database() {
    let native = NativeProcess::start(&ORDERS, &[AWAY]);
    assert_eq!(native.get("/orders").status, 503);
    let metrics = metrics(&native);
    assert!(metrics["orders_database_errors_total"] >= 1.0);
    assert_eq!(
        metrics[r#"orders_requests_total{route="/orders",method="GET",status="503"}"#],
        1.0
    );
}
