//! Running anything twice changes nothing the second time.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use crate::harness::{
    Deployment, answered, deploy_tool, deploy_tool_command, eventually, kubectl, object, order, reachable, repository,
};

#[test]
#[ignore = "needs a cluster, see main.rs"]
fn a_second_up_writes_nothing_and_says_so() {
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
    let before = facts();
    let said = deploy_tool(&["up"]).success();
    assert!(
        said.stderr.contains("nothing changed") || said.stderr.contains("unchanged"),
        "{}",
        said.stderr
    );
    assert_eq!(facts(), before);
    assert_eq!(object("orders", "secret/mariadb")["data"], secret);
    let replica_sets = object("orders", "replicasets");
    assert_eq!(
        replica_sets["items"].as_array().unwrap().len(),
        2,
        "a roll-out happened: {replica_sets}"
    );
}

/// Another folder, an empty cache, another time: the same bytes, from the module to the image's digest.
#[test]
#[ignore = "needs a cluster, see main.rs"]
fn the_same_source_gives_the_same_digest_on_another_machine() {
    let built = |mut command: Command| -> Value {
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let events = String::from_utf8(output.stdout).unwrap();
        let result: Value = serde_json::from_str(events.lines().last().unwrap()).unwrap();
        result["data"].clone()
    };
    let here = built(deploy_tool_command(&["build", "--output", "json"]));

    let elsewhere = tempfile::tempdir().unwrap();
    let files = Command::new("git")
        .args(["ls-files", "-z"])
        .current_dir(repository())
        .output()
        .unwrap()
        .stdout;
    for file in String::from_utf8(files).unwrap().split_terminator('\0') {
        let target = elsewhere.path().join("another folder").join(file);
        fs::create_dir_all(target.parent().unwrap()).unwrap();
        fs::copy(repository().join(file), target).unwrap();
    }
    let mut command = deploy_tool_command(&["build", "--output", "json"]);
    command.current_dir(elsewhere.path().join("another folder"));
    command.env("DEPLOY_TOOL_CACHE", elsewhere.path().join("cache"));
    let there = built(command);

    assert_eq!(here["moduleDigest"], there["moduleDigest"], "the module differs");
    assert_eq!(
        here["digest"], there["digest"],
        "the module is the same, and the image differs"
    );
    assert_ne!(here["layout"], there["layout"], "nothing was built a second time");
    let index = |built: &Value| fs::read(Path::new(built["layout"].as_str().unwrap()).join("index.json")).unwrap();
    assert!(index(&here) == index(&there), "what is attached to the image differs");
    the_bill_names_every_crate_that_the_module_does(&here);
}

/// The compiler leaves the source paths of panics in the module: `crates/NAME-VERSION/src/…`. That is another witness than
/// the lock file from which the bill is made.
fn the_bill_names_every_crate_that_the_module_does(built: &Value) {
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
        .map(|one| format!("{}-{}", one["name"].as_str().unwrap(), one["version"].as_str().unwrap()))
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
    let said = deploy_tool(&["down"]).success();
    assert!(
        said.stderr.contains("data-mariadb-0"),
        "it says what it left: {}",
        said.stderr
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
    deployment.up().0.success();
    deploy_tool(&["down", "--manifests", deployment.folder(), "--delete-data"]).success();
    eventually("the namespace is gone", Duration::from_secs(120), || {
        (kubectl(&["get", "namespace", "gone"]).code != 0).then_some(())
    });
    // The RuntimeClass belongs to every deployment: the next `up` puts it back where this one took it away.
    deploy_tool(&["up"]).success();
}
