//! The page in a real Chromium, against the Wasm pods of the cluster under test; ignored unless asked for.
//!
//! By hand, after `make demo` and `scripts/images tests`:
//! `TEST_CLUSTER=wasm-demo TEST_URL=http://127.0.0.1:8080 cargo test -p e2e --test browser -- --ignored --test-threads=1`
//!
//! Screenshots are in `target/tmp/screenshots`, also one of each test that failed.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod accessibility;
mod bench;
mod elsewhere;
mod events;
mod forms;
mod keyboard;
mod list;
mod orders;
mod outage;
mod screens;
