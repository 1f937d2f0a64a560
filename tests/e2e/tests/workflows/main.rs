//! Every `run:` step of every workflow, as the user of a hosted runner, in a container with a runner's tools: nothing in
//! YAML is executed for the first time on GitHub. And the scripts on hosts that are not this one: older shells, other
//! machines, podman, registries that refuse.
//!
//! They need what `scripts/images tests` makes, so they are ignored unless asked for. `make test` runs the steps that take
//! seconds, `make test-workflows` all that [`table::STEPS`] does not leave out. By hand:
//! `cargo test -p e2e --test workflows -- --ignored`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod host;
mod images;
mod mounts;
mod portable;
mod pull;
mod runner;
mod steps;
mod table;
mod workflow;
