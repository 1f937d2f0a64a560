//! Running anything twice changes nothing the second time.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::harness::{
    Deployment, answered, built, deploy_tool, deploy_tool_command, eventually, kubectl, object, order, reachable,
};

#[test]
#[ignore = "needs a cluster, see main.rs"]
fn a_second_up_writes_nothing_and_says_so() {
    // A rollout would make another one.
    let replica_sets = || {
        let sets = object("orders", "replicasets");
        let names = sets["items"].as_array().unwrap().iter();
        names.map(|set| set["metadata"]["uid"].clone()).collect::<Vec<_>>()
    };
    let facts = || {
        [
            "deployment/app",
            "deployment/events",
            "statefulset/mariadb",
            "service/app",
            "secret/mariadb",
        ]
        .map(|name| {
            let metadata = object("orders", name)["metadata"].clone();
            (name, metadata["uid"].clone(), metadata["generation"].clone())
        })
    };
    let secret = object("orders", "secret/mariadb")["data"].clone();
    let before = (facts(), replica_sets());
    let output = deploy_tool(&["up"]).success();
    assert!(
        output.stderr.contains("nothing changed") || output.stderr.contains("unchanged"),
        "{}",
        output.stderr
    );
    assert_eq!((facts(), replica_sets()), before);
    assert_eq!(object("orders", "secret/mariadb")["data"], secret);
}

/// The compiler leaves the source paths of panics in the module: `crates/NAME-VERSION/src/…`. That is another witness than
/// the lock file from which the bill is made.
#[test]
#[ignore = "needs a cluster, see main.rs"]
fn the_bill_names_every_crate_that_the_module_does() {
    let built = built(deploy_tool_command(&["build", "--output", "json"]));
    let layout = Path::new(built["layout"].as_str().unwrap());
    let read = |digest: &Value| -> Value {
        let digits = digest.as_str().unwrap().strip_prefix("sha256:").unwrap();
        serde_json::from_slice(&fs::read(layout.join("blobs/sha256").join(digits)).unwrap()).unwrap()
    };
    let index: Value = serde_json::from_slice(&fs::read(layout.join("index.json")).unwrap()).unwrap();
    let attached = read(&index["manifests"][1]["digest"]);
    assert_eq!(attached["subject"]["digest"], built["digest"]);
    let bill = read(&attached["layers"][0]["digest"]);
    assert_eq!(
        bill["metadata"]["component"]["hashes"][0]["content"],
        built["moduleDigest"]
    );
    let components = bill["components"].as_array().unwrap().iter();
    let named: BTreeSet<String> = components
        .map(|component| {
            format!(
                "{}-{}",
                component["name"].as_str().unwrap(),
                component["version"].as_str().unwrap()
            )
        })
        .collect();
    let module = fs::read(built["module"].as_str().unwrap()).unwrap();
    let module = String::from_utf8_lossy(&module);
    let seen: BTreeSet<&str> = module
        .split("crates/")
        .skip(1)
        .filter_map(|text| text.split_once("/src/").map(|(folder, _)| folder))
        .filter(|folder| !folder.contains(['/', '\0']) && folder.len() < 80)
        .collect();
    assert!(seen.len() > 20, "the module names no crates any more: {seen:?}");
    let missing: Vec<&&str> = seen.iter().filter(|folder| !named.contains(**folder)).collect();
    assert!(missing.is_empty(), "the bill lacks {missing:?}");
}

#[test]
#[ignore = "needs a cluster, see main.rs"]
fn down_keeps_the_orders_and_up_brings_them_back() {
    answered("GET", "/delete_order?id=7001", None);
    assert_eq!(answered("POST", "/create_order", Some(&order(7001))).0, 200);
    let output = deploy_tool(&["down"]).success();
    assert!(
        output.stderr.contains("data-mariadb-0"),
        "it says what it left: {}",
        output.stderr
    );
    assert_eq!(object("orders", "deployments")["items"].as_array().unwrap().len(), 0);
    deploy_tool(&["down"]).success();

    deploy_tool(&["up"]).success();
    reachable();
    let (status, kept) = answered("GET", "/orders/7001", None);
    assert_eq!((status, &kept["order_id"]), (200, &serde_json::json!(7001)));
    assert_eq!(answered("GET", "/delete_order?id=7001", None).0, 200);
}

#[test]
#[ignore = "needs a cluster, see main.rs"]
fn down_with_the_data_leaves_nothing() {
    let deployment = Deployment::new("gone", |_, text| Some(text));
    let namespace = &deployment.namespace.name;
    deployment.up().0.success();
    deploy_tool(&["down", "--manifests", deployment.folder(), "--delete-data"]).success();
    eventually("the namespace is gone", || {
        (kubectl(&["get", "namespace", namespace]).code != 0).then_some(())
    });
    // The RuntimeClass belongs to every deployment: the next `up` puts it back where this one took it away.
    deploy_tool(&["up"]).success();
}
