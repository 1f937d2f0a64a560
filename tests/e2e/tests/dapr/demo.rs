//! The demo under test: its address, its orders, its events, its sidecars.

use std::process::Command;
use std::sync::OnceLock;

use serde_json::{Value, json};
use service_tests::http::{Request, Response};

use crate::harness::{CommandOutput, await_that, eventually, kubectl, object, pods, worker_address};

/// How the sidecars come into the pods.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Native sidecars that are written out.
    Standalone,
    /// Containers that Dapr's injector adds.
    Injected,
}

/// The form under test, by DAPR_FORM as in scripts/demo-dapr.
pub fn form() -> Form {
    match std::env::var("DAPR_FORM").as_deref() {
        Err(_) | Ok("" | "standalone") => Form::Standalone,
        Ok("injected") => Form::Injected,
        Ok(other) => panic!("DAPR_FORM is {other:?}: it can be standalone or injected, or unset"),
    }
}

/// The folder of its manifests.
pub fn manifests() -> &'static str {
    match form() {
        Form::Standalone => "dapr/standalone",
        Form::Injected => "dapr/injected",
    }
}

/// Its namespace.
pub fn namespace() -> &'static str {
    match form() {
        Form::Standalone => "orders-dapr",
        Form::Injected => "orders-dapr-injected",
    }
}

/// Where a Service can be reached: host and port.
pub fn address_of(service: &str) -> String {
    let port = &object(namespace(), &format!("service/{service}"))["spec"]["ports"][0]["nodePort"];
    format!("{}:{port}", worker_address())
}

/// Where the orders service answers: host and port.
pub fn address() -> &'static str {
    static ADDRESS: OnceLock<String> = OnceLock::new();
    ADDRESS.get_or_init(|| address_of("orders"))
}

/// Sends a request to the orders service; `None` while nobody answers.
pub fn try_send(method: &str, path: &str, body: Option<&Value>) -> Option<Response> {
    try_send_to(address(), method, path, body)
}

/// Sends a request to this host and port; `None` while nobody answers.
pub fn try_send_to(address: &str, method: &str, path: &str, body: Option<&Value>) -> Option<Response> {
    let mut request = Request::new(method, path);
    if let Some(body) = body {
        request = request
            .header("content-type", "application/json")
            .with_body(&body.to_string());
    }
    request.send(address).ok()
}

/// Sends a request that must be answered: its status and its JSON.
#[track_caller]
pub fn send(method: &str, path: &str, body: Option<&Value>) -> (u16, Value) {
    let response = try_send(method, path, body).unwrap_or_else(|| panic!("{method} {path}: no answer"));
    let body = serde_json::from_str(&response.body).unwrap_or(Value::Null);
    (response.status, body)
}

/// An order without shipping and tax, which goes to a region with rules of its own.
pub fn unpriced(order_id: i32) -> Value {
    json!({"order_id": order_id, "product_id": 12, "quantity": 2, "amount": 56, "shipping_address": "Mataderos 2312, Argentina"})
}

/// The same with them.
pub fn priced(order_id: i32) -> Value {
    let mut order = unpriced(order_id);
    order["shipping"] = json!(15);
    order["tax"] = json!(2);
    order
}

/// Waits until an order can be priced, stored and announced: also what the last test has broken is whole again.
#[track_caller]
pub fn whole() {
    let id = service_tests::case::unused_ids();
    eventually("the whole way of an order works", || {
        let response = try_send("POST", "/orders", Some(&unpriced(id)))?;
        // An attempt before may have been stored, though its answer was lost.
        matches!(response.status, 201 | 409).then_some(())
    });
    eventually("its event arrives", || (!events_of(id, id)?.is_empty()).then_some(()));
    assert_eq!(send("DELETE", &format!("/orders/{id}"), None).0, 204);
}

/// All events about orders with ids from one to another, the oldest first; `None` while they cannot be listed.
pub fn events_of(first: i32, last: i32) -> Option<Vec<Value>> {
    let mut found = Vec::new();
    let mut path = "/events?limit=1000".to_owned();
    loop {
        let response = try_send("GET", &path, None)?;
        let page: Value = serde_json::from_str(&response.body).ok()?;
        let events = page["events"].as_array().filter(|_| response.status == 200)?;
        found.extend(
            events
                .iter()
                .filter(|event| {
                    let subject = event["subject"].as_str().and_then(|subject| subject.parse().ok());
                    subject.is_some_and(|id: i32| (first..=last).contains(&id))
                })
                .cloned(),
        );
        match response.header("link") {
            Some(link) => path = link[1..link.find('>').unwrap()].to_owned(),
            None => break,
        }
    }
    found.reverse();
    Some(found)
}

/// The types of the events about an order.
pub fn types_of(events: &[Value], order_id: i32) -> Vec<String> {
    let subject = json!(order_id.to_string());
    let ours = events.iter().filter(|event| event["subject"] == subject);
    ours.map(|event| event["type"].as_str().unwrap().to_owned()).collect()
}

/// Each of these orders was created, changed and deleted, in that order, and nothing else happened to it.
#[track_caller]
pub fn assert_each_is_announced(events: &[Value], orders: &[i32]) {
    for &id in orders {
        assert_eq!(
            types_of(events, id),
            ["order.created", "order.updated", "order.deleted"],
            "{id}"
        );
    }
}

/// Sets the count of a Deployment, and waits until so many pods are ready and the others are gone.
#[track_caller]
pub fn scale(deployment: &str, count: usize) {
    let replicas = format!("--replicas={count}");
    let name = format!("deployment/{deployment}");
    kubectl(&["--namespace", namespace(), "scale", &name, &replicas]).success();
    await_that(&format!("{deployment} has {count} pods"), || {
        let pods = pods(namespace(), &format!("app={deployment}"));
        pods.len() == count && pods.iter().all(is_ready)
    });
}

/// Whether a pod, sidecar and all, is ready.
pub fn is_ready(pod: &Value) -> bool {
    let conditions = pod["status"]["conditions"].as_array();
    conditions.is_some_and(|all| {
        all.iter()
            .any(|condition| condition["type"] == "Ready" && condition["status"] == "True")
    })
}

/// The state of the sidecar's container, and of the service's.
pub fn containers(pod: &Value) -> (Value, Value) {
    let of_kind = |kind: &str| pod["status"][kind].as_array().unwrap().clone();
    let services = of_kind("containerStatuses");
    let all = [of_kind("initContainerStatuses"), services.clone()].concat();
    let sidecar = all.into_iter().find(|status| status["name"] == "daprd").unwrap();
    let service = services.into_iter().find(|status| status["name"] != "daprd").unwrap();
    (sidecar, service)
}

/// Ends a container at once, as the kernel does when there is no memory left.
pub fn kill(pod: &Value, container: &Value) {
    let id = container["containerID"].as_str().unwrap();
    let id = id.strip_prefix("containerd://").unwrap();
    let node = pod["spec"]["nodeName"].as_str().unwrap();
    let killed = Command::new("docker")
        .args([
            "exec",
            node,
            "ctr",
            "--namespace",
            "k8s.io",
            "tasks",
            "kill",
            "--signal",
            "SIGKILL",
            id,
        ])
        .output();
    CommandOutput::from(killed.unwrap()).success();
}

/// Runs SQL as the services' user.
pub fn sql(statement: &str) -> String {
    let client = "MYSQL_PWD=\"$MARIADB_PASSWORD\" exec mariadb --skip-column-names --host=127.0.0.1 --user=orders orders --execute \"$0\"";
    let output = kubectl(&[
        "--namespace",
        namespace(),
        "exec",
        "mariadb-0",
        "--",
        "sh",
        "-c",
        client,
        statement,
    ]);
    output.success().stdout
}

/// The rules of pricing are away as long as this lives: its state store has no table.
pub struct StateAway;

impl StateAway {
    /// Takes them away.
    pub fn begin() -> Self {
        sql("RENAME TABLE dapr_state TO dapr_state_away");
        Self
    }
}

impl Drop for StateAway {
    fn drop(&mut self) {
        sql("RENAME TABLE dapr_state_away TO dapr_state");
    }
}

/// What the pods say, when a test fails.
pub struct Diagnosis;

impl Drop for Diagnosis {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            return;
        }
        let pods = kubectl(&["--namespace", namespace(), "get", "pods", "--output", "wide"]).stdout;
        eprintln!("{pods}");
        for (deployment, container) in [
            ("page", "page"),
            ("page", "daprd"),
            ("orders", "orders"),
            ("orders", "daprd"),
            ("events", "events"),
            ("events", "daprd"),
            ("pricing", "pricing"),
            ("pricing", "daprd"),
        ] {
            let name = format!("deployment/{deployment}");
            let output = kubectl(&[
                "--namespace",
                namespace(),
                "logs",
                &name,
                "--container",
                container,
                "--since=10m",
            ]);
            let lines: Vec<&str> = output
                .stdout
                .lines()
                .filter(|line| !line.contains("\"status\":20"))
                .collect();
            let last = lines.len().saturating_sub(30);
            eprintln!("{deployment}/{container}:\n{}", lines[last..].join("\n"));
        }
    }
}
