//! The roads without a cluster: every command of a page in docs/roads, and what it prints.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod clients;
mod compose;
mod crun;
mod page;
mod podman;
mod tls;
mod wasmedge;
