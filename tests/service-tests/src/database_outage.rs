//! The database of the orders service away, wherever it and the service run: what clients see, within which time, and that all recovers.

use std::io::Result;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::http::{Request, Response};
use crate::{await_that, scaled};

/// More than the five seconds after which the database is given up, on a busy machine; less than a client waits.
fn answer_limit() -> Duration {
    scaled(Duration::from_secs(30))
}

/// The ids that these stories use.
const FIRST_ID: i32 = 700_000_001;
const LAST_ID: i32 = 799_999_999;

/// A service and its database.
pub trait Stage: Sync {
    /// Sends a request; an error when no answer comes.
    fn send(&self, request: &Request) -> Result<Response>;
    /// Runs a statement as the database's administrator.
    fn administer(&self, sql: &str) -> std::result::Result<String, String>;
    /// Stops the database's process where it is, or lets it go on.
    fn pause(&self, paused: bool);
    /// Ends the database without a warning, starts it again, and waits until it takes clients.
    fn kill(&self);
    /// What the service has logged.
    fn log(&self) -> String;
}

/// Undoes what a story did, also when the story fails.
#[derive(Debug)]
pub struct Afterwards<F: FnMut()>(pub F);

impl<F: FnMut()> Drop for Afterwards<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

/// An order of this id, to be stored.
pub fn create(id: i32) -> Request {
    let order = format!(
        r#"{{"order_id":{id},"product_id":1,"quantity":1,"amount":1,"shipping":1,"tax":1,"shipping_address":"x"}}"#
    );
    Request::new("POST", "/create_order").with_body(&order)
}

fn status(stage: &impl Stage, request: &Request) -> Option<u16> {
    stage.send(request).ok().map(|response| response.status)
}

fn get(path: &str) -> Request {
    Request::new("GET", path)
}

fn await_ready(stage: &impl Stage) {
    await_that("the service is ready", || status(stage, &get("/readyz")) == Some(200));
}

/// Ready, and without orders of earlier runs.
fn begin(stage: &impl Stage) {
    await_ready(stage);
    let delete = format!("DELETE FROM orders.orders WHERE order_id BETWEEN {FIRST_ID} AND {LAST_ID}");
    stage.administer(&delete).unwrap();
}

/// The database cannot be used: every data route says so in time, and health stays.
pub fn check_away(stage: &impl Stage) {
    for request in [get("/orders"), get("/readyz"), get("/init"), create(FIRST_ID)] {
        let start = Instant::now();
        let response = stage.send(&request).unwrap();
        let took = start.elapsed();
        assert!(took < answer_limit(), "{request:?} took {took:?}");
        match response.status {
            503 => assert_eq!(response.header("retry-after"), Some("1"), "{response:?}"),
            504 => assert_eq!(response.error_code().as_deref(), Some("timeout")),
            _ => panic!("{request:?}: {response:?}"),
        }
        for secret in ["secret", "SELECT", "127.0.0.1", "mysql", "mariadb"] {
            assert!(!response.body.contains(secret), "{response:?}");
        }
        let start = Instant::now();
        assert_eq!(status(stage, &get("/healthz")), Some(200));
        assert!(start.elapsed() < answer_limit());
    }
}

/// The database's process does nothing, and its connections stay open.
pub fn hung(stage: &impl Stage) {
    begin(stage);
    // So that connections lie in the pool.
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| assert_eq!(status(stage, &get("/orders?limit=1")), Some(200)));
        }
    });
    let resume = Afterwards(|| stage.pause(false));
    stage.pause(true);
    check_away(stage);
    drop(resume);
    await_ready(stage);
    await_that("an order can be created", || {
        matches!(status(stage, &create(FIRST_ID)), Some(200 | 409))
    });
}

/// Clients that repeat on 503 and 504 end with exactly their orders, however often the database dies.
pub fn killed_under_load(stage: &impl Stage) {
    const CLIENTS: i32 = 4;
    const KILLS: usize = 3;
    begin(stage);
    let (stop, stored) = (AtomicBool::new(false), AtomicI32::new(0));
    let stop_at_last = Afterwards(|| stop.store(true, Ordering::Relaxed));
    thread::scope(|scope| {
        for client in 0..CLIENTS {
            let (stop, stored) = (&stop, &stored);
            scope.spawn(move || {
                let ids = (FIRST_ID + client..).step_by(CLIENTS as usize);
                for id in ids.take_while(|_| !stop.load(Ordering::Relaxed)) {
                    create_stubbornly(stage, id);
                    stored.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        for _ in 0..KILLS {
            stage.kill();
            await_ready(stage);
            let before = stored.load(Ordering::Relaxed);
            await_that("orders are stored again", || stored.load(Ordering::Relaxed) > before);
        }
        drop(stop_at_last);
    });
    let created = stored.into_inner();
    assert_eq!(count_orders(stage), created);
    assert!(created > CLIENTS, "the clients got too little done: {created}");
    println!("{created} orders of {CLIENTS} clients, {KILLS} kills: none lost, none doubled");
}

/// Repeats on 503 and 504, and where no answer came, like a sensible client; 409 says that an
/// earlier attempt was done.
fn create_stubbornly(stage: &impl Stage, id: i32) {
    await_that("the order is stored", || match status(stage, &create(id)) {
        Some(200 | 409) => true,
        None | Some(503 | 504) => false,
        Some(status) => panic!("{status}"),
    });
}

fn count_orders(stage: &impl Stage) -> i32 {
    let (mut count, mut after) = (0, i64::from(FIRST_ID) - 1);
    loop {
        let request = get(&format!("/orders?limit=10000&after={after}"));
        let mut page = String::new();
        await_that("the orders are listed", || match stage.send(&request) {
            Ok(response) if response.status == 200 => {
                page = response.body;
                true
            }
            _ => false,
        });
        let orders: Vec<serde_json::Value> = serde_json::from_str(&page).unwrap();
        let ids = orders.iter().map(|order| order["order_id"].as_i64().unwrap());
        let ids: Vec<i64> = ids.filter(|id| *id <= i64::from(LAST_ID)).collect();
        match ids.last() {
            Some(last) => after = *last,
            None => return count,
        }
        count += i32::try_from(ids.len()).unwrap();
    }
}

/// The database lets in fewer connections than the pool may open.
pub fn out_of_connections(stage: &impl Stage) {
    begin(stage);
    let allow = |connections: u32| {
        let limit = format!("ALTER USER 'orders'@'%' WITH MAX_USER_CONNECTIONS {connections}; KILL USER orders");
        stage.administer(&limit).unwrap();
    };
    let lift = Afterwards(|| allow(0));
    allow(1);
    let refused = AtomicBool::new(false);
    await_that("a request finds no connection", || {
        thread::scope(|scope| {
            for _ in 0..30 {
                scope.spawn(|| {
                    let start = Instant::now();
                    let response = stage.send(&get("/orders?limit=1000")).unwrap();
                    assert!(start.elapsed() < answer_limit());
                    assert!([200, 503].contains(&response.status), "{response:?}");
                    refused.fetch_or(response.status == 503, Ordering::Relaxed);
                });
            }
        });
        refused.load(Ordering::Relaxed)
    });
    drop(lift);
    await_ready(stage);
    await_that("orders can be read", || {
        status(stage, &get("/orders?limit=1")) == Some(200)
    });
}

/// The database takes no changes, as after a failover.
pub fn read_only(stage: &impl Stage) {
    begin(stage);
    let writable = Afterwards(|| {
        stage.administer("SET GLOBAL read_only = 0").unwrap();
    });
    // Administrators may write all the same. Connections that are open keep the privileges they had.
    stage
        .administer("REVOKE ALL ON *.* FROM 'orders'@'%'; SET GLOBAL read_only = 1; KILL USER orders")
        .unwrap();
    await_that("a new connection is used", || {
        status(stage, &get("/orders?limit=1")) == Some(200)
    });
    let refused = stage.send(&create(FIRST_ID)).unwrap();
    let code = refused.error_code();
    assert_eq!(code.as_deref(), Some("database_unavailable"), "{refused:?}");
    assert!(refused.body.contains("cannot do this"), "{refused:?}");
    assert_eq!(status(stage, &get("/orders?limit=1")), Some(200));
    drop(writable);
    assert_eq!(status(stage, &create(FIRST_ID)), Some(200));
}

/// Somebody changes the password, and changes it back.
pub fn password_changed(stage: &impl Stage) {
    begin(stage);
    let row = stage.administer("SELECT authentication_string FROM mysql.user WHERE user = 'orders'");
    let row = row.unwrap();
    let hash = row.lines().last().unwrap().trim();
    let change = |hash: &str| {
        let change = format!("SET PASSWORD FOR 'orders'@'%' = {hash}; KILL USER orders");
        stage.administer(&change).unwrap();
    };
    let restore = Afterwards(|| change(&format!("'{hash}'")));
    change("PASSWORD('another')");
    await_that("the database lets nobody in", || {
        status(stage, &get("/readyz"));
        stage.log().contains("Access denied")
    });
    check_away(stage);
    drop(restore);
    await_ready(stage);
    assert_eq!(status(stage, &create(FIRST_ID)), Some(200));
}

/// A statement waits for another's lock.
pub fn slow(stage: &impl Stage) {
    begin(stage);
    assert_eq!(status(stage, &create(FIRST_ID)), Some(200));
    thread::scope(|scope| {
        let locker =
            scope.spawn(|| stage.administer("LOCK TABLES orders.orders WRITE; SELECT SLEEP(9); UNLOCK TABLES"));
        await_that("the table is locked", || {
            let start = Instant::now();
            let delete = Request::new("DELETE", &format!("/orders/{LAST_ID}"));
            let response = stage.send(&delete).unwrap();
            if response.status == 504 {
                assert!(start.elapsed() < answer_limit());
                assert_eq!(response.error_code().as_deref(), Some("timeout"));
            }
            response.status == 504
        });
        locker.join().unwrap().unwrap();
    });
    await_that("the table can be used", || {
        status(stage, &create(FIRST_ID + 1)) == Some(200)
    });
}
