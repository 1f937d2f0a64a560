//! An order is priced, stored and announced, each through its own sidecar.

use std::collections::BTreeSet;
use std::process::Command;

use serde_json::json;
use service_tests::case::unused_ids;
use service_tests::http::Request;

use crate::demo::{Diagnosis, address, events_of, manifests, namespace, priced, send, sql, types_of, unpriced, whole};
use crate::harness::{CommandOutput, deploy_tool, eventually, pods};

#[test]
#[ignore = "needs the demo, see main.rs"]
fn an_order_is_priced_stored_and_announced() {
    let _diagnosis = Diagnosis;
    whole();
    let id = unused_ids();
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let response = Request::new("POST", "/orders")
        .header("content-type", "application/json")
        .header("traceparent", &format!("00-{trace}-00f067aa0ba902b7-01"))
        .with_body(&unpriced(id).to_string())
        .send(address())
        .unwrap();
    assert_eq!(response.status, 201, "{}", response.body);
    let answer: serde_json::Value = serde_json::from_str(&response.body).unwrap();
    // 9.50 and twice 1.25; 21 % of 68.
    assert_eq!(
        (&answer["price"]["shipping"], &answer["price"]["tax"]),
        (&json!(12), &json!(14.28))
    );
    assert_eq!(answer["price"]["by"]["region"], "argentina");
    let names: Vec<_> = pods(namespace(), "app=pricing")
        .iter()
        .map(|pod| pod["metadata"]["name"].clone())
        .collect();
    assert!(names.contains(&answer["price"]["by"]["instance"]), "{answer} {names:?}");

    let (status, stored) = send("GET", &format!("/orders/{id}"), None);
    assert_eq!(
        (status, &stored["shipping"], &stored["tax"]),
        (200, &json!(12), &json!(14.28))
    );

    // Given values stay, and what is missing is priced by what is there then.
    let mut other = unpriced(id);
    other["tax"] = json!(1);
    other["amount"] = json!(100);
    let (status, answer) = send("PUT", &format!("/orders/{id}"), Some(&other));
    assert_eq!(
        (status, &answer["price"]["shipping"], &answer["price"]["tax"]),
        (200, &json!(12), &json!(1))
    );
    assert_eq!(send("DELETE", &format!("/orders/{id}"), None).0, 204);

    let events = eventually("all events of the order are listed", || {
        events_of(id, id).filter(|events| events.len() >= 3)
    });
    assert_eq!(
        types_of(&events, id),
        ["order.created", "order.updated", "order.deleted"]
    );
    assert_eq!(events[0]["data"]["tax"], 14.28);
    // The sidecars continue the trace of the request.
    let traceparent = events[0]["traceparent"].as_str().unwrap_or_default();
    assert!(traceparent.starts_with(&format!("00-{trace}-")), "{}", events[0]);
    // What carried them.
    assert!(
        events
            .iter()
            .all(|event| event["pubsubname"] == "pubsub" && event["topic"] == "orders"),
        "{events:?}"
    );
}

#[test]
#[ignore = "needs the demo, see main.rs"]
fn the_service_names_its_sidecar() {
    whole();
    let (status, sidecar) = send("GET", "/sidecar", None);
    assert_eq!(
        (status, &sidecar["app_id"], &sidecar["version"]),
        (200, &json!("orders"), &json!("1.16.0"))
    );
    // The state store is not in the scope of this one.
    let components = sidecar["components"].as_array().unwrap();
    let names: BTreeSet<&str> = components
        .iter()
        .map(|component| component["type"].as_str().unwrap())
        .collect();
    assert_eq!(names, BTreeSet::from(["pubsub.jetstream", "secretstores.local.env"]));
}

#[test]
#[ignore = "needs the demo, see main.rs"]
fn what_has_no_price_is_no_order() {
    whole();
    let id = unused_ids();
    let mut order = unpriced(id);
    order["quantity"] = json!(0);
    let (status, answer) = send("POST", "/orders", Some(&order));
    assert_eq!(
        (status, &answer["error"]["fields"][0]["field"]),
        (422, &json!("quantity"))
    );
    assert_eq!(answer["error"]["fields"].as_array().unwrap().len(), 1, "{answer}");
    order["quantity"] = json!(1);
    order["amount"] = json!(9_999_999_999.99);
    assert_eq!(send("POST", "/orders", Some(&order)).0, 201, "its tax is money");
    assert_eq!(send("DELETE", &format!("/orders/{id}"), None).0, 204);
}

/// The rules are state in MariaDB: what is changed there holds at once.
#[test]
#[ignore = "needs the demo, see main.rs"]
fn the_rules_are_state_in_the_database() {
    let _diagnosis = Diagnosis;
    whole();
    let change = |from: &str, to: &str| {
        sql(&format!(
            "UPDATE dapr_state SET value = REPLACE(value, '{from}', '{to}') WHERE id = 'pricing||rules'; \
             SELECT value FROM dapr_state WHERE id = 'pricing||rules'"
        ))
    };
    let kept = sql("SELECT value FROM dapr_state WHERE id = 'pricing||rules'");
    assert!(kept.contains("9.5"), "{kept}");
    assert!(change("9.5", "109.5").contains("109.5"));
    let id = unused_ids();
    let (status, answer) = send("POST", "/orders", Some(&unpriced(id)));
    change("109.5", "9.5");
    assert_eq!((status, &answer["price"]["shipping"]), (201, &json!(112)), "{answer}");
    assert_eq!(send("DELETE", &format!("/orders/{id}"), None).0, 204);
}

/// Nobody but the own sidecar may bring events or ask for prices.
#[test]
#[ignore = "needs the demo, see main.rs"]
fn whoever_comes_without_the_sidecar_is_refused() {
    whole();
    for (app, path, body) in [
        (
            "events",
            "events",
            r#"{"specversion":"1.0","id":"1","source":"/me","type":"greeting"}"#,
        ),
        (
            "pricing",
            "price",
            r#"{"quantity":1,"amount":1,"shipping_address":"A"}"#,
        ),
    ] {
        let pod = pods(namespace(), &format!("app={app}")).remove(0);
        let (node, address) = (&pod["spec"]["nodeName"], &pod["status"]["podIP"]);
        let url = format!("http://{}:8080/{path}", address.as_str().unwrap());
        let curl = [
            "exec",
            node.as_str().unwrap(),
            "curl",
            "--silent",
            "--header",
            "content-type: application/json",
            "--data",
            body,
            &url,
        ];
        let output = CommandOutput::from(Command::new("docker").args(curl).output().unwrap()).success();
        assert!(
            output.stdout.contains("\"not_the_sidecar\""),
            "{app}: {}",
            output.stdout
        );
    }
    assert_eq!(send("POST", "/orders", Some(&priced(0))).0, 422);
}

#[test]
#[ignore = "needs the demo, see main.rs"]
fn a_second_run_has_nothing_to_do() {
    whole();
    let output = deploy_tool(&["plan", "--exit-code", "--manifests", manifests()]);
    assert_eq!(output.code, 0, "{}\n{}", output.stdout, output.stderr);
}
