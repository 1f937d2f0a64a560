//! What the tests of the services share: an HTTP client, cases, native builds, a real database.
//!
//! A service's contract is a table of [`case`]s, which run in three places: over its pure layers [`in_process`],
//! against its native [`native_process`] on a real [`database`], and against any service by its address ([`test_server`]). What happens
//! in a [`database_outage`] is told to the native build and to Wasm pods.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

pub mod case;
pub mod certificates;
pub mod database;
pub mod database_outage;
pub mod http;
pub mod in_process;
pub mod native_process;
pub mod refusing_port;
pub mod test_server;

use std::io::Write;
use std::time::{Duration, Instant};

/// A service under test, known by its native build.
#[derive(Clone, Copy, Debug)]
pub struct Service {
    /// The program: `env!("CARGO_BIN_EXE_…")`.
    pub program: &'static str,
    /// The environment variable with the address of a service that is there already.
    pub url_variable: &'static str,
}

/// Tells that a test cannot run here and why; an error where it must run.
///
/// Written past the test harness, which keeps what `eprintln!` says of tests that pass.
pub fn skip(what: &str, why: &str) {
    if std::env::var("REQUIRE_CLUSTER").is_ok_and(|value| value == "1") {
        panic!("{what} cannot run, and REQUIRE_CLUSTER=1 forbids to skip it: {why}");
    }
    let _ = writeln!(std::io::stderr(), "skipped: {what}: {why}");
}

/// A time limit as this machine needs it: `TEST_TIMEOUT_FACTOR=4` makes each four times as long.
pub fn scaled(limit: Duration) -> Duration {
    let factor = std::env::var("TEST_TIMEOUT_FACTOR").map_or(1, |text| {
        let factor = text.parse::<u32>().ok().filter(|factor| *factor > 0);
        factor.unwrap_or_else(|| panic!("TEST_TIMEOUT_FACTOR is {text:?}: it must be a whole number from 1"))
    });
    limit * factor
}

/// How long any test waits for any condition: enough for a machine that is slow and has other work to do. A condition
/// that holds ends the wait at once, so a generous limit costs time only where a test fails. Nothing is built meanwhile:
/// what a test needs is built before it waits.
pub fn time_limit() -> Duration {
    scaled(Duration::from_secs(300))
}

/// Waits until the condition gives a value. The pause only keeps the processor free between looks.
#[track_caller]
pub fn eventually<T>(what: &str, mut condition: impl FnMut() -> Option<T>) -> T {
    let (start, limit) = (Instant::now(), time_limit());
    loop {
        if let Some(value) = condition() {
            return value;
        }
        assert!(start.elapsed() < limit, "not within {} s: {what}", limit.as_secs());
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// Waits until the condition holds.
#[track_caller]
pub fn await_that(what: &str, mut holds: impl FnMut() -> bool) {
    eventually(what, || holds().then_some(()));
}

/// The label of the containers that this process starts: what it leaves when it is killed is known, and `make clean` and
/// the next `make test` remove it.
pub fn container_label() -> String {
    format!("--label=deploy-tool.test={}", std::process::id())
}
