//! What the tests of the services share: an HTTP client, cases, native twins, a real database.
//!
//! A service's contract is a table of [`case`]s, which run in three places: over its pure layers [`in_process`],
//! against its native [`twin`] on a real [`database`], and against any service by its address ([`place`]). What happens
//! when the database is [`away`] is told to the native twin and to Wasm pods.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

pub mod away;
pub mod case;
pub mod database;
pub mod http;
pub mod in_process;
pub mod place;
pub mod twin;

use std::io::Write;
use std::time::{Duration, Instant};

/// A service under test, known by its native twin.
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

/// Waits until a condition holds, generously: the machine may be busy.
pub fn await_that(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(240);
    while !holds() {
        assert!(Instant::now() < deadline, "waited in vain until {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}
