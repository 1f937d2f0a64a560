//! Orders, pricing and events behind Dapr's sidecars. They need the demo of `make demo-dapr`, so they are ignored unless asked
//! for: `make test-dapr` makes it and runs them one after the other. What needs no cluster is in manifests.rs.
//!
//! By hand, after `make demo-dapr`: `TEST_CLUSTER=wasm-demo cargo test -p e2e --test dapr -- --ignored --test-threads=1`, with
//! `--skip injector::` where there is no control plane. After `DAPR_FORM=injected make demo-dapr` with DAPR_FORM as there.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod checks;
mod demo;
mod flow;
mod injected_manifests;
mod injector;
mod load;
mod manifests;
mod node;
mod outages;
mod page;
mod replicas;
mod subscriber;

use e2e as harness;
