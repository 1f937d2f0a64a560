//! Outages of the database: unreachable, hung, restarted, out of connections. What clients get, and that the service
//! recovers.
//!
//! Most of these tests are shared by the native build here and the Wasm pods in `tests/e2e/`: see
//! `tests/service-tests`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::io::Result;
use std::thread;
use std::time::Duration;

use service_tests::await_that;
use service_tests::database::Database;
use service_tests::database_outage::{self, check_away, create, Stage};
use service_tests::http::{Request, Response};
use service_tests::native_process::NativeProcess;
use support::start_native;

/// A native build and its database in a container.
struct Native {
    // Fields are dropped in this order: the native build before its database.
    native: NativeProcess,
    database: Database,
}

impl Native {
    fn start(test: &str) -> Option<Native> {
        let database = Database::start(test)?;
        let native = start_native(&database.url("orders"));
        Some(Native { native, database })
    }
}

impl Stage for Native {
    fn send(&self, request: &Request) -> Result<Response> {
        request.send(&self.native.address)
    }

    fn administer(&self, sql: &str) -> std::result::Result<String, String> {
        self.database.administer(sql)
    }

    fn pause(&self, paused: bool) {
        self.database.container(if paused { "pause" } else { "unpause" });
    }

    fn kill(&self) {
        self.database.container("kill");
        self.database.container("start");
        self.database.await_ready();
    }

    fn log(&self) -> String {
        self.native.log().join("\n")
    }
}

/// Runs a test with a separate database, unless there is none.
fn run_outage(test: &str, outage: impl FnOnce(&Native)) {
    let Some(stage) = Native::start(test) else {
        return;
    };
    outage(&stage);
    assert!(!stage.log().contains("secret"));
}

#[test]
fn a_hung_database_is_given_up_and_found_again() {
    run_outage("outage_hung", database_outage::hung);
}

#[test]
fn no_write_is_lost_or_doubled_while_the_database_is_killed() {
    run_outage("outage_killed", database_outage::killed_under_load);
}

#[test]
fn a_database_without_free_connections_is_busy() {
    run_outage("outage_full", database_outage::out_of_connections);
}

#[test]
fn a_read_only_database_refuses_changes_only() {
    run_outage("outage_read_only", database_outage::read_only);
}

#[test]
fn a_changed_password_is_told_and_recovers() {
    run_outage("outage_password", database_outage::password_changed);
}

#[test]
fn a_slow_statement_is_given_up() {
    run_outage("outage_slow", database_outage::slow);
}

#[test]
fn a_database_that_comes_later_is_found() {
    run_outage("outage_absent", |stage| {
        stage.database.container("stop");
        let late = start_native(&stage.database.url("orders"));
        let refused = late.send(&create(1));
        assert_eq!(refused.status, 503, "{refused:?}");
        check_away(stage);
        stage.database.container("start");
        late.await_ready();
        assert_eq!(late.send(&create(1)).status, 200);
    });
}

#[test]
fn stale_connections_are_not_noticed_after_a_restart() {
    run_outage("outage_restart", |stage| {
        let native = &stage.native;
        native.await_ready();
        for id in 1..4 {
            thread::scope(|scope| {
                for _ in 0..8 {
                    scope.spawn(|| assert_eq!(native.get("/orders").status, 200));
                }
            });
            stage.database.container("restart");
            stage.database.await_ready();
            // Connections that have been idle for longer than a second are pinged before use.
            thread::sleep(Duration::from_millis(1_100));
            assert_eq!(native.send(&create(id)).status, 200);
            assert_eq!(native.get(&format!("/orders/{id}")).status, 200);
        }
    });
}

#[test]
fn too_many_clients_of_the_database_leave_it_busy() {
    run_outage("outage_crowd", |stage| {
        stage.native.await_ready();
        stage.administer("SET GLOBAL max_connections = 10").unwrap();
        let others: Vec<NativeProcess> = (0..3).map(|_| start_native(&stage.database.url("orders"))).collect();
        thread::scope(|scope| {
            for native in others.iter().cycle().take(60) {
                scope.spawn(move || {
                    for _ in 0..20 {
                        let response = native.get("/orders");
                        assert!([200, 503].contains(&response.status), "{response:?}");
                    }
                });
            }
        });
        drop(others);
        await_that("the first one works again", || {
            stage.native.get("/orders").status == 200
        });
    });
}
