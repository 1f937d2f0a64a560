//! The orders service: one source for WebAssembly under crun and WasmEdge, and for its native twin.
//!
//! A request passes through these modules from top to bottom:
//!
//! - [`server`] (edge): connections, limits on time and size, one log line a request.
//! - [`http`] (pure): path and method to a route, a complete request to an action.
//! - [`order`] (pure): the rules of an order, money in whole cents.
//! - [`service`]: does the action, tells the outcome.
//! - [`command`] (pure): what the store can be asked, and why it may fail.
//! - [`store`] (edge): the pool of connections, the SQL, the migration that [`schema`] (pure) plans.
//!
//! WebAssembly has no unwinding: a panic would end the process for every client at once. So no code
//! that a request, a body or a row of the database can reach may panic.
//!
//! The crates named `hyper`, `tokio` and `mysql_async` are `hyper_wasi`, `tokio_wasi` and
//! `mysql_async_wasi` when the target is WASI; see `Cargo.toml`.

pub mod command;
pub mod config;
mod database_url;
pub mod http;
pub mod log;
pub mod metrics;
pub mod mode;
pub mod order;
pub mod schema;
pub mod server;
pub mod service;
pub mod store;

/// The version of the service.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
