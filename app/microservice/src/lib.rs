//! What an HTTP service is made of, as a guest under crun and WasmEdge and natively alike.
//!
//! A service reads its [`config`], implements [`server::Service`] and is run by [`server::run`]:
//!
//! - [`server`] (edge): connections, limits on time and size, one log line a request.
//! - [`http`] (pure): path and method to a route, problems and answers, requests from other sites.
//! - [`database`] (edge): a pool of connections to MariaDB, tables that are kept current.
//! - [`client`] (edge): requests to other services.
//! - [`dapr`]: the same through a Dapr sidecar, and state, where there is one.
//! - [`money`] (pure): amounts in whole cents.
//! - [`memory`]: a bound on what requests use together.
//! - [`context`]: what the process is, and what it counts ([`metrics`], [`execution_mode`]).
//! - [`signature`] (pure): proof that a message comes from another service of ours.
//! - [`log`]: one JSON line an event.
//!
//! WebAssembly has no unwinding: a panic would end the process for every client at once. So no code
//! that a request, a body or a row of the database can reach may panic.
//!
//! The crates named `hyper`, `tokio` and `mysql_async` are `hyper_wasi`, `tokio_wasi` and
//! `mysql_async_wasi` when the target is WASI; see `Cargo.toml`.

mod backoff;
pub mod client;
pub mod config;
pub mod context;
pub mod dapr;
pub mod database;
mod database_settings;
pub mod execution_mode;
pub mod http;
pub mod json_array;
pub mod log;
pub mod memory;
pub mod metrics;
pub mod money;
mod resolver;
pub mod server;
pub mod signature;
mod tls_settings;

use std::process::ExitCode;

/// How a service ends: its error is logged, and the process fails in a way that Kubernetes sees.
pub fn exit(result: Result<(), impl std::error::Error>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            log::event(log::Level::Error, &error.to_string());
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
