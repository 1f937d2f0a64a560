//! Building blocks of an HTTP service that runs as WebAssembly under crun and WasmEdge, and natively.
//!
//! A service reads its [`config`], implements [`server::Service`] and is run by [`server::run`]:
//!
//! - [`server`] (edge): connections, limits on time and size, one log line per request.
//! - [`http`] (pure): routes, requests, responses, problems, CORS.
//! - [`database`] (edge): a pool of connections to MariaDB, migrations.
//! - [`client`] (edge): HTTP requests to other services.
//! - [`trace`] (pure): the trace context of a request, for requests to others and for events.
//! - [`dapr`]: requests to other services, and state, through a Dapr sidecar.
//! - [`money`] (pure): amounts in whole cents.
//! - [`memory`]: a limit on the memory that all requests use together.
//! - [`context`]: the shared state of all requests ([`metrics`], [`execution_mode`]).
//! - [`signature`] (pure): HMAC signatures between services that share a secret.
//! - [`log`]: one JSON line per event.
//!
//! This WebAssembly target has no unwinding: a panic aborts the process with all of its requests. So no code that a
//! request, a body or a row of the database can reach may panic.
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
pub mod trace;

use std::process::ExitCode;

/// Logs the error of a service and converts it to an exit code that Kubernetes sees as a failure.
pub fn exit(result: Result<(), impl std::error::Error>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            log::event(log::Level::Error, &error.to_string());
            failure_code()
        }
    }
}

/// Aborts, because crun 1.21 reports every exit code of a guest as 0: Kubernetes would take a service that cannot start
/// for one that has completed. Only a trap counts as a failure.
#[cfg(target_family = "wasm")]
fn failure_code() -> ExitCode {
    std::process::abort()
}

#[cfg(not(target_family = "wasm"))]
fn failure_code() -> ExitCode {
    ExitCode::FAILURE
}
