//! The database away: absent, hung, restarted, full. What clients see, and that all recovers.
//!
//! Most of these stories are told once for the native twin here and for the Wasm pods in `tests/e2e/`: see `tests/service-tests`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::io::Result;
use std::thread;
use std::time::Duration;

use service_tests::await_that;
use service_tests::away::{self, check_away, create, Stage};
use service_tests::database::Database;
use service_tests::http::{Request, Response};
use service_tests::twin::Twin;
use support::start_twin;

/// A twin and its database in a container.
struct Native {
    // In this order: the twin ends before its database.
    twin: Twin,
    database: Database,
}

impl Native {
    fn start(test: &str) -> Option<Native> {
        let database = Database::start(test)?;
        let twin = start_twin(&database.url("orders"));
        Some(Native { twin, database })
    }
}

impl Stage for Native {
    fn send(&self, request: &Request) -> Result<Response> {
        request.send(&self.twin.address)
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
        self.twin.log().join("\n")
    }
}

/// Tells a story with a database of its own, or says why it cannot be told here.
fn tell(test: &str, story: impl FnOnce(&Native)) {
    let Some(stage) = Native::start(test) else {
        return;
    };
    story(&stage);
    assert!(!stage.log().contains("secret"));
}

#[test]
fn a_hung_database_is_given_up_and_found_again() {
    tell("outage_hung", away::hung);
}

#[test]
fn no_write_is_lost_or_doubled_while_the_database_is_killed() {
    tell("outage_killed", away::killed_under_load);
}

#[test]
fn a_database_without_free_connections_is_busy() {
    tell("outage_full", away::out_of_connections);
}

#[test]
fn a_read_only_database_refuses_changes_only() {
    tell("outage_read_only", away::read_only);
}

#[test]
fn a_changed_password_is_told_and_recovers() {
    tell("outage_password", away::password_changed);
}

#[test]
fn a_slow_statement_is_given_up() {
    tell("outage_slow", away::slow);
}

#[test]
fn a_database_that_comes_later_is_found() {
    tell("outage_absent", |stage| {
        stage.database.container("stop");
        let late = start_twin(&stage.database.url("orders"));
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
    tell("outage_restart", |stage| {
        let twin = &stage.twin;
        twin.await_ready();
        for id in 1..4 {
            thread::scope(|scope| {
                for _ in 0..8 {
                    scope.spawn(|| assert_eq!(twin.get("/orders").status, 200));
                }
            });
            stage.database.container("restart");
            stage.database.await_ready();
            // Idle for longer than a second, connections are tested before they are used.
            thread::sleep(Duration::from_millis(1_100));
            assert_eq!(twin.send(&create(id)).status, 200);
            assert_eq!(twin.get(&format!("/orders/{id}")).status, 200);
        }
    });
}

#[test]
fn too_many_clients_of_the_database_leave_it_busy() {
    tell("outage_crowd", |stage| {
        stage.twin.await_ready();
        stage.administer("SET GLOBAL max_connections = 10").unwrap();
        let others: Vec<Twin> = (0..3).map(|_| start_twin(&stage.database.url("orders"))).collect();
        thread::scope(|scope| {
            for twin in others.iter().cycle().take(60) {
                scope.spawn(move || {
                    for _ in 0..20 {
                        let response = twin.get("/orders");
                        assert!([200, 503].contains(&response.status), "{response:?}");
                    }
                });
            }
        });
        drop(others);
        await_that("the first one works again", || stage.twin.get("/orders").status == 200);
    });
}
