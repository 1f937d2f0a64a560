//! Clients that create, change and delete orders one after the other, until they are told to stop.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::thread::{JoinHandle, sleep, spawn};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use service_tests::case::unused_ids;

use crate::demo::{address_of, try_send_to};
use crate::harness::time_limit;

/// The load. Each client has ids of its own.
pub struct Load {
    stop: Arc<AtomicBool>,
    done: Arc<AtomicI32>,
    clients: Vec<JoinHandle<Vec<String>>>,
    /// The first id, and how many each client has.
    first: i32,
}

/// More than a client comes to.
const IDS: i32 = 10_000;

/// What the load has done.
pub struct Done {
    /// The ids of the orders that were created, changed and deleted.
    pub orders: Vec<i32>,
    /// Requests that were not answered as they should.
    pub failures: Vec<String>,
}

impl Load {
    /// A client of each of these Services, with this pause between its requests, and orders of this form.
    pub fn start(services: &[&str], pause: Duration, order: fn(i32) -> Value) -> Self {
        let (stop, done, first) = (
            Arc::new(AtomicBool::new(false)),
            Arc::new(AtomicI32::new(0)),
            unused_ids(),
        );
        let clients = (0..)
            .zip(services)
            .map(|(number, service)| {
                let (address, stop, done) = (address_of(service), stop.clone(), done.clone());
                spawn(move || client(&address, first + number * IDS, pause, order, &stop, &done))
            })
            .collect();
        Self {
            stop,
            done,
            clients,
            first,
        }
    }

    /// How many orders have gone all the way.
    pub fn done(&self) -> i32 {
        self.done.load(Ordering::Relaxed)
    }

    /// The range of its ids.
    pub fn ids(&self) -> (i32, i32) {
        (
            self.first,
            self.first + IDS * i32::try_from(self.clients.len()).unwrap(),
        )
    }

    /// Ends it.
    pub fn stop(self) -> Done {
        self.stop.store(true, Ordering::Relaxed);
        let mut failures = Vec::new();
        let mut orders = Vec::new();
        for (number, client) in self.clients.into_iter().enumerate() {
            let output = client.join().unwrap();
            let first = self.first + IDS * i32::try_from(number).unwrap();
            let (count, wrong) = output.split_last().unwrap();
            orders.extend(first..first + count.parse::<i32>().unwrap());
            failures.extend_from_slice(wrong);
        }
        Done { orders, failures }
    }
}

/// What failed, and at last how many orders went all the way.
fn client(
    address: &str,
    first: i32,
    pause: Duration,
    order: fn(i32) -> Value,
    stop: &AtomicBool,
    done: &AtomicI32,
) -> Vec<String> {
    let start = Instant::now();
    let mut failures = Vec::new();
    let mut id = first;
    while !stop.load(Ordering::Relaxed) && start.elapsed() < 2 * time_limit() && id < first + IDS {
        let mut changed = order(id);
        changed["quantity"] = json!(7);
        let path = format!("/orders/{id}");
        for (method, path, body, expected) in [
            ("POST", "/orders", Some(order(id)), 201),
            ("PUT", path.as_str(), Some(changed), 200),
            ("DELETE", path.as_str(), None, 204),
        ] {
            let response = try_send_to(address, method, path, body.as_ref());
            if response.as_ref().is_none_or(|response| response.status != expected) {
                let output = response.map(|response| response.body);
                failures.push(format!("{method} {id} after {:?}: {output:?}", start.elapsed()));
            }
            sleep(pause);
        }
        id += 1;
        done.fetch_add(1, Ordering::Relaxed);
    }
    failures.push((id - first).to_string());
    failures
}
