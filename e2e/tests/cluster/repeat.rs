//! Running anything twice changes nothing the second time.

use crate::harness::{deploy_tool, object};

#[test]
#[ignore = "needs a cluster, see main.rs"]
fn a_second_up_writes_nothing_and_says_so() {
    let facts = || {
        ["deployment/app", "statefulset/mariadb", "service/app", "secret/mariadb"].map(|name| {
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
        1,
        "a roll-out happened: {replica_sets}"
    );
}
