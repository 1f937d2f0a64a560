//! Replicas come and go under load, and no client notices.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use crate::harness::{answered, deploy_tool, eventually, http_client, object, order, pods, request, time_limit};

/// A bounded load: a few clients with kept connections, until told to stop and for a time that ends.
struct Load {
    stop: Arc<AtomicBool>,
    answered: Arc<AtomicUsize>,
    failures: Arc<Mutex<Vec<String>>>,
    clients: Vec<thread::JoinHandle<()>>,
}

impl Load {
    fn start() -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let answered = Arc::new(AtomicUsize::new(0));
        let failures = Arc::new(Mutex::new(Vec::new()));
        let clients = (0..6)
            .map(|number| {
                let (stop, answered, failures) = (stop.clone(), answered.clone(), failures.clone());
                thread::spawn(move || {
                    let agent = http_client();
                    let start = Instant::now();
                    while !stop.load(Ordering::Relaxed) && start.elapsed() < time_limit() {
                        let path = if number % 2 == 0 {
                            "/orders?after=8000&limit=1"
                        } else {
                            "/"
                        };
                        match request(&agent, "GET", path, None) {
                            Ok((200, _)) => {
                                answered.fetch_add(1, Ordering::Relaxed);
                            }
                            other => failures
                                .lock()
                                .unwrap()
                                .push(format!("{path} after {:?}: {other:?}", start.elapsed())),
                        }
                        // One client without a pause; the others trickle: the machine's cores are for the cluster.
                        if number > 0 {
                            thread::sleep(Duration::from_millis(5));
                        }
                    }
                })
            })
            .collect();
        Self {
            stop,
            answered,
            failures,
            clients,
        }
    }

    /// Ends the load: how many were answered, and what failed.
    fn stop(self) -> (usize, Vec<String>) {
        self.stop.store(true, Ordering::Relaxed);
        for client in self.clients {
            client.join().unwrap();
        }
        (
            self.answered.load(Ordering::Relaxed),
            self.failures.lock().unwrap().clone(),
        )
    }
}

#[test]
#[ignore = "needs a cluster, see main.rs"]
fn one_to_three_to_one_under_load_fails_no_request_and_up_keeps_the_count() {
    answered("GET", "/delete_order?id=8001", None);
    assert_eq!(answered("POST", "/create_order", Some(&order(8001))).0, 200);
    deploy_tool(&["scale", "1"]).success();
    let load = Load::start();
    eventually("the load runs", || {
        (load.answered.load(Ordering::Relaxed) > 100).then_some(())
    });

    deploy_tool(&["scale", "3"]).success();
    let running = pods("orders", "app=app");
    assert_eq!(running.len(), 3);
    let nodes: std::collections::BTreeSet<_> = running.iter().map(|pod| pod["spec"]["nodeName"].to_string()).collect();
    assert_eq!(nodes.len(), 2, "the replicas are spread over the Wasm nodes");
    // A later `up` leaves the count alone: scale owns it.
    deploy_tool(&["up"]).success();
    assert_eq!(object("orders", "deployment/app")["spec"]["replicas"], 3);

    deploy_tool(&["scale", "1"]).success();
    assert_eq!(
        pods("orders", "app=app").len(),
        1,
        "scale waits until the surplus pods are gone"
    );
    let (count, failures) = load.stop();
    assert!(
        failures.is_empty(),
        "{} of {} requests failed:\n{}",
        failures.len(),
        count + failures.len(),
        failures.join("\n")
    );
    println!("{count} requests answered, none failed");
    assert_eq!(answered("GET", "/delete_order?id=8001", None).0, 200);
}

#[test]
#[ignore = "needs a cluster, see main.rs"]
fn a_count_whose_pools_exceed_the_databases_connections_is_refused() {
    // 26 replicas with 10 connections each, against --max-connections=250.
    let replicas = || object("orders", "deployment/app")["spec"]["replicas"].clone();
    let before = replicas();
    deploy_tool(&["scale", "26"]).failure(1, &["260", "250", "--force"]);
    assert_eq!(replicas(), before);
}
