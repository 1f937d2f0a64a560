//! Starts the orders service; see the library for what it is.

use std::process::ExitCode;

use app::log::{self, Level};

fn main() -> ExitCode {
    match app::server::run(|name| std::env::var(name).ok()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            log::event(Level::Error, &error.to_string());
            fail()
        }
    }
}

/// crun 1.21 reports any exit code of a guest as 0; only a trap counts as a failure, and Kubernetes
/// would take a service that cannot start for one that has finished.
#[cfg(target_family = "wasm")]
fn fail() -> ExitCode {
    std::process::abort()
}

#[cfg(not(target_family = "wasm"))]
fn fail() -> ExitCode {
    ExitCode::FAILURE
}
