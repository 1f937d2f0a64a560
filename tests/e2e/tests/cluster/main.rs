//! The cluster tests. They need a kind cluster with the service deployed in it, so they are ignored unless asked for;
//! `make test` makes the cluster, runs those that keep to namespaces of their own several at a time and the others one after
//! the other, and deletes it.
//!
//! By hand, against the demo's cluster after `make demo`:
//! `TEST_CLUSTER=wasm-demo TEST_URL=http://127.0.0.1:8080 cargo test -p e2e -- --ignored --test-threads=1`

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod adopted_crate;
mod bad_input;
mod bench;
mod clients;
mod database;
mod database_tls;
mod dev;
mod dev_loop;
mod doctor;
mod events;
mod failures;
mod foreign_words;
mod manifests;
mod new_project;
mod ownership;
mod plan;
mod reach;
mod registry;
mod release;
mod repeat;
mod scale;
mod verbs;
mod verdicts;
mod walk_through;
mod without_api_server;

use e2e as harness;
