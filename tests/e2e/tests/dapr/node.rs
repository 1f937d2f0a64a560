//! A node is cut off until the cluster has given it up for lost, and comes back.

use std::time::Instant;

use service_tests::case::unused_ids;
use service_tests::database::container_action;

use crate::demo::{Diagnosis, events_of, namespace, priced, try_send, types_of, whole};
use crate::harness::{await_that, cluster, eventually, kubectl, object};

/// Nothing on the node does anything as long as this lives: to everybody else it is gone.
struct NodeAway(String);

impl NodeAway {
    fn begin(node: String) -> Self {
        container_action("pause", &node);
        Self(node)
    }
}

impl Drop for NodeAway {
    fn drop(&mut self) {
        container_action("unpause", &self.0);
    }
}

/// The pods of a Deployment are made again while new ones may not go to this node.
fn move_away_from(node: &str, deployment: &str) {
    let name = format!("deployment/{deployment}");
    kubectl(&["cordon", node]).success();
    let restarted = kubectl(&["--namespace", namespace(), "rollout", "restart", &name]);
    let done = kubectl(&["--namespace", namespace(), "rollout", "status", &name, "--timeout=10m"]);
    kubectl(&["uncordon", node]).success();
    restarted.success();
    done.success();
}

/// What the cluster knows of a node: `True`, `False` or `Unknown`.
fn ready(node: &str) -> String {
    let node = object("default", &format!("node/{node}"));
    let conditions = node["status"]["conditions"].as_array().unwrap();
    let ready = conditions
        .iter()
        .find(|condition| condition["type"] == "Ready")
        .unwrap();
    ready["status"].as_str().unwrap().to_owned()
}

/// Orders may be refused meanwhile, when the database or the broker is on that node; those that are not are announced, once.
#[test]
#[ignore = "needs the demo, see main.rs"]
fn what_was_acknowledged_while_a_node_was_cut_off_is_announced_once_when_it_is_back() {
    let _diagnosis = Diagnosis;
    whole();
    // The demo is reached at the first worker.
    let [stays, goes] = ["worker", "worker2"].map(|worker| format!("{}-{worker}", cluster()));
    move_away_from(&stays, "events");
    move_away_from(&goes, "orders");
    whole();

    let first = unused_ids();
    let mut acknowledged = Vec::new();
    let mut next = first;
    let mut order = || {
        let created = try_send("POST", "/orders", Some(&priced(next))).is_some_and(|response| response.status == 201);
        acknowledged.extend(created.then_some(next));
        next += 1;
    };
    let away = NodeAway::begin(goes.clone());
    let start = Instant::now();
    eventually("the cluster knows that the node is away", || {
        order();
        (ready(&goes) == "Unknown").then_some(())
    });
    println!("{goes} is given up for lost after {:?}", start.elapsed());
    drop(away);
    await_that("the node is back", || ready(&goes) == "True");
    whole();
    for _ in 0..10 {
        order();
    }

    assert!(acknowledged.len() >= 10, "{acknowledged:?} of {}", next - first);
    println!("{} of {} orders were acknowledged", acknowledged.len(), next - first);
    let events = eventually("the events of all of them arrive", || {
        let events = events_of(first, next)?;
        let arrived = |id: &i32| !types_of(&events, *id).is_empty();
        acknowledged.iter().all(arrived).then_some(events)
    });
    // Those of orders whose answer was lost may be there as well.
    for id in first..next {
        let types = types_of(&events, id);
        assert!(
            types.len() <= 1 && types.iter().all(|kind| kind == "order.created"),
            "{id}: {types:?}"
        );
    }
}
