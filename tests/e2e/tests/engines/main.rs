//! The two engines of our nodes, and the image with other tools than ours: built by Docker, run by podman.
//!
//! ```sh
//! scripts/images tests
//! cargo test --package e2e --test engines -- --ignored
//! ```

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod crun;
mod docker;
mod node;
mod podman;
mod poll;

use std::process::Command;

use e2e::{CommandOutput, repository};

/// Has a C compiler, and WasmEdge's.
const BUILDER: &str = "localhost/wasm-builder:trixie";

fn docker(arguments: &[&str]) -> CommandOutput {
    let output = Command::new("docker")
        .args(arguments)
        .current_dir(repository())
        .output();
    CommandOutput::from(output.unwrap()).success()
}
