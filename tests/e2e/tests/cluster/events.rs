//! The orders service announces its changes, the events service receives them, both as Wasm.

use serde_json::{Value, json};
use service_tests::case::unused_ids;
use service_tests::http::Request;

use crate::harness::{
    NodePort, answered, cargo, deploy_tool, eventually, http_client, kubectl, order, pods, reachable, repository,
    request,
};

/// The contract of its native build, at two replicas.
#[test]
#[ignore = "needs a cluster, see main.rs"]
fn the_events_service_keeps_its_contract_as_wasm() {
    deploy_tool(&["scale", "2", "--deployment", "events"]).success();
    let port = NodePort::open("events", false);
    eventually("the node's port leads to the pods", || {
        let health = Request::new("GET", "/healthz").send(&port.address).ok()?;
        let health: Value = serde_json::from_str(&health.body).ok()?;
        (health["build"] == "wasm" && health["mode"] == "aot").then_some(())
    });
    let secret = kubectl(&[
        "--namespace",
        "orders",
        "get",
        "secret",
        "events",
        "--output=go-template={{.data.EVENTS_SECRET | base64decode}}",
    ]);
    let contract = [
        "test",
        "--release",
        "--locked",
        "--package",
        "events",
        "--test",
        "contract",
    ];
    let output = cargo(&contract)
        .current_dir(repository().join("app"))
        .env("EVENTS_URL", format!("http://{}", port.address))
        .env("EVENTS_SECRET", secret.success().stdout.trim())
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}\n{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    deploy_tool(&["scale", "1", "--deployment", "events"]).success();
}

/// The types of all events about an order, the oldest first; nothing while the list cannot be read.
fn announced(order_id: i32) -> Option<Vec<Value>> {
    let (status, page) = answered("GET", "/events?limit=1000", None);
    let events = page["events"].as_array().filter(|_| status == 200)?.iter().rev();
    let subject = json!(order_id.to_string());
    let ours = events.filter(|event| event["subject"] == subject);
    Some(ours.map(|event| event["type"].clone()).collect())
}

/// What both services say of the events, when a test fails.
struct Diagnosis;

impl Drop for Diagnosis {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            return;
        }
        for deployment in ["deployment/app", "deployment/events"] {
            let output = kubectl(&["--namespace", "orders", "logs", deployment, "--since=30m"]);
            let lines: Vec<&str> = output
                .stdout
                .lines()
                .filter(|line| !line.contains("\"status\":200"))
                .collect();
            let last = lines.len().saturating_sub(60);
            eprintln!(
                "{deployment}, but for requests that went well:\n{}",
                lines[last..].join("\n")
            );
        }
        match request(&http_client(), "GET", "/metrics", None) {
            Ok((_, metrics)) => metrics
                .lines()
                .filter(|line| line.contains("events_"))
                .for_each(|line| eprintln!("{line}")),
            Err(error) => eprintln!("/metrics: {error}"),
        }
    }
}

#[test]
#[ignore = "needs a cluster, see main.rs"]
fn every_change_is_listed_once_and_in_order_though_the_receivers_pod_goes() {
    reachable();
    let first = unused_ids();
    let before = pods("orders", "app=events")[0]["metadata"]["uid"].clone();
    for order_id in first..first + 20 {
        assert_eq!(answered("POST", "/create_order", Some(&order(order_id))).0, 200);
        if order_id == first + 5 {
            let pod = ["delete", "pod", "--selector", "app=events", "--wait=false"];
            kubectl(&[&["--namespace", "orders"], &pod[..]].concat()).success();
        }
        let mut changed = order(order_id);
        changed["quantity"] = json!(7);
        assert_eq!(answered("POST", "/update_order", Some(&changed)).0, 200);
        assert_eq!(answered("GET", &format!("/delete_order?id={order_id}"), None).0, 200);
    }
    let _diagnosis = Diagnosis;
    for order_id in first..first + 20 {
        let types = eventually("all events of an order are listed", || {
            announced(order_id).filter(|types| types.len() >= 3)
        });
        assert_eq!(types, ["order.created", "order.updated", "order.deleted"], "{order_id}");
    }
    // The old pod is ended after its last requests.
    eventually("another pod has taken its place", || {
        let pods = pods("orders", "app=events");
        (!pods.is_empty() && pods.iter().all(|pod| pod["metadata"]["uid"] != before)).then_some(())
    });
    let (_, page) = answered("GET", "/events?limit=1", None);
    let counts = page["counts"].as_object().unwrap().values();
    assert_eq!(page["total"], counts.map(|count| count.as_i64().unwrap()).sum::<i64>());
}
