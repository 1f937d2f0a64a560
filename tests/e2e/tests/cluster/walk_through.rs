//! What a newcomer does with the service, from outside the cluster, against the Wasm pods.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use crate::harness::{answered, deploy_tool, kubectl, object, order, pods};

#[test]
#[ignore = "needs a cluster, see main.rs"]
fn the_published_walk_through_works() {
    assert_eq!(answered("GET", "/init", None), (200, json!({"status": true})));
    for order_id in [41, 42, 43] {
        answered("GET", &format!("/delete_order?id={order_id}"), None);
    }
    assert_eq!(
        answered("POST", "/create_order", Some(&order(41))),
        (200, json!({"status": true}))
    );
    assert_eq!(
        answered("POST", "/create_orders", Some(&json!([order(42), order(43)]))).0,
        200
    );
    let (status, orders) = answered("GET", "/orders", None);
    assert_eq!(status, 200);
    let ours: Vec<_> = orders
        .as_array()
        .unwrap()
        .iter()
        .filter(|order| [41, 42, 43].contains(&order["order_id"].as_i64().unwrap()))
        .collect();
    assert_eq!(ours.len(), 3);
    assert_eq!(
        (&ours[0]["amount"], &ours[0]["tax"]),
        (&json!(56.55), &json!(2)),
        "money comes back as it was sent"
    );

    let mut changed = order(41);
    changed["quantity"] = json!(7);
    assert_eq!(answered("POST", "/update_order", Some(&changed)).0, 200);
    let (_, orders) = answered("GET", "/orders?after=40&limit=1", None);
    assert_eq!(orders[0]["quantity"], json!(7));

    let (status, refused) = answered("POST", "/create_order", Some(&order(41)));
    assert_eq!((status, &refused["error"]["code"]), (409, &json!("duplicate_order")));
    for order_id in [41, 42, 43] {
        assert_eq!(answered("GET", &format!("/delete_order?id={order_id}"), None).0, 200);
    }
    assert_eq!(answered("GET", "/delete_order?id=41", None).0, 404);
    assert_eq!(
        answered("POST", "/echo", Some(&json!({"a": 1}))),
        (200, json!({"a": 1}))
    );
}

#[test]
#[ignore = "needs a cluster, see main.rs"]
fn the_service_runs_as_wasm_compiled_ahead_of_time_beside_an_ordinary_database() {
    let (status, health) = answered("GET", "/healthz", None);
    assert_eq!(
        (status, &health["build"], &health["mode"]),
        (200, &json!("wasm"), &json!("aot")),
        "{health}"
    );

    let app = &pods("orders", "app=app")[0];
    assert_eq!(app["spec"]["runtimeClassName"], json!("crun-wasm"));
    assert!(
        pods("orders", "app=mariadb")[0]["spec"]
            .get("runtimeClassName")
            .is_none()
    );
    // The process on the node is crun's own, turned into the engine: nothing of the image runs natively.
    let node = app["spec"]["nodeName"].as_str().unwrap();
    let processes = std::process::Command::new("docker")
        .args(["exec", node, "ps", "-eo", "args"])
        .output()
        .unwrap();
    let processes = String::from_utf8_lossy(&processes.stdout).into_owned();
    assert!(processes.contains("[libcrun:wasmedge] /app.wasm"), "{processes}");
}

#[test]
#[ignore = "needs a cluster, see main.rs"]
fn status_tells_every_pod_in_a_table_and_as_json() {
    let table = deploy_tool(&["status"]).success().stdout;
    let status: serde_json::Value =
        serde_json::from_str(&deploy_tool(&["status", "--output", "json"]).success().stdout).unwrap();
    let described = status["pods"].as_array().unwrap();
    let app = described
        .iter()
        .find(|pod| pod["mode"] == "aot")
        .unwrap_or_else(|| panic!("no pod in mode aot: {status}"));
    assert_eq!(app["runtimeClass"], json!("crun-wasm"));
    let deployed = object("orders", "deployment/app")["spec"]["template"]["spec"]["containers"][0]["image"].clone();
    let digest = app["imageDigest"].as_str().unwrap();
    assert!(
        deployed.as_str().unwrap().ends_with(&digest.replace(':', "-")),
        "{deployed} is not {digest}"
    );
    for pod in described {
        // One that is ending may not answer any more.
        if pod["ready"] == true {
            assert_eq!(pod["runtimeClass"].is_string(), pod["mode"] == "aot", "{pod}");
        }
        assert!(table.contains(pod["name"].as_str().unwrap()), "{table}");
    }
}

#[test]
#[ignore = "needs a cluster, see main.rs"]
fn no_password_is_in_the_manifests_and_the_one_in_the_cluster_is_random() {
    let secret = object("orders", "secret/mariadb");
    let password = |name: &str| {
        let encoded = secret["data"][name].as_str().unwrap();
        String::from_utf8(STANDARD.decode(encoded).unwrap()).unwrap()
    };
    let (own, root) = (password("MARIADB_PASSWORD"), password("MARIADB_ROOT_PASSWORD"));
    assert!(own.len() >= 30, "a generated password has at least 30 characters");
    assert_ne!(own, root);
    let logs = kubectl(&["--namespace", "orders", "logs", "deployment/app"])
        .success()
        .stdout;
    assert!(!logs.contains(&own) && !logs.contains(&root), "{logs}");
}
