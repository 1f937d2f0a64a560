//! What the tests of the service share: an HTTP client, the native twin, a real database.

#![allow(dead_code)] // Each test binary uses a part of it.

pub mod database;
pub mod http;
pub mod memory;
pub mod place;
pub mod receiver;
pub mod twin;

use std::io::Write;
use std::time::{Duration, Instant};

/// Tells that a test cannot run here and why; an error where it must run.
///
/// Written past the test harness, which keeps what `eprintln!` says of tests that pass.
pub fn skip(what: &str, why: &str) {
    if std::env::var("REQUIRE_CLUSTER").is_ok_and(|value| value == "1") {
        panic!("{what} cannot run, and REQUIRE_CLUSTER=1 forbids to skip it: {why}");
    }
    let _ = writeln!(std::io::stderr(), "skipped: {what}: {why}");
}

/// Waits until a condition holds, generously: the machine may be busy.
pub fn await_that(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(120);
    while !holds() {
        assert!(Instant::now() < deadline, "waited in vain until {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}
