//! The database goes away and comes back; the orders stay.

use std::time::Duration;

use serde_json::json;

use crate::harness::{answered, eventually, kubectl, order, pods, reachable};

#[test]
#[ignore = "needs a cluster, see main.rs"]
fn the_service_outlives_its_database_and_every_order_is_still_there() {
    let ids = 9_001..=9_050;
    for order_id in ids.clone() {
        answered("GET", &format!("/delete_order?id={order_id}"), None);
    }
    let orders: Vec<_> = ids.clone().map(order).collect();
    assert_eq!(answered("POST", "/create_orders", Some(&json!(orders))).0, 200);
    let restarts = || pods("orders", "app=app")[0]["status"]["containerStatuses"][0]["restartCount"].clone();
    let (restarts_before, database_before) = (restarts(), pods("orders", "app=mariadb")[0]["metadata"]["uid"].clone());

    kubectl(&["--namespace", "orders", "delete", "pod", "mariadb-0", "--wait=false"]).success();
    eventually("a new database pod is ready", Duration::from_secs(240), || {
        let database = pods("orders", "app=mariadb");
        let ready = database.first()?["status"]["conditions"]
            .as_array()?
            .iter()
            .any(|one| one["type"] == "Ready" && one["status"] == "True");
        (database[0]["metadata"]["uid"] != database_before && ready).then_some(())
    });
    reachable();
    let (_, listed) = answered("GET", "/orders?after=9000&limit=50", None);
    let found: Vec<i64> = listed
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["order_id"].as_i64().unwrap())
        .collect();
    assert_eq!(found, ids.clone().map(i64::from).collect::<Vec<_>>());
    assert_eq!(
        restarts(),
        restarts_before,
        "the service recovered by itself, without a restart"
    );
    for order_id in ids {
        assert_eq!(answered("GET", &format!("/delete_order?id={order_id}"), None).0, 200);
    }
}
