//! The events service: one source for WebAssembly under crun and WasmEdge, and for its native build.
//!
//! It receives events of other services, stores each of them exactly once (idempotent by source and id), and lists
//! them. A request passes through these modules from top to bottom, after the server of [`microservice`]:
//!
//! - [`http`] (pure): from a request to an action, and from an outcome to a response.
//! - [`event`] (pure): the validation of events.
//! - [`service`]: executes the action.
//! - [`command`] (pure): the commands of the store.
//! - [`store`] (edge): the SQL, the tables.
//!
//! A panic aborts the process, see [`microservice`]: no code that a request, a body or a row of the database can reach
//! may panic.

pub mod command;
pub mod config;
pub mod event;
pub mod http;
mod retention;
pub mod service;
pub mod store;

use microservice::context::Name;
use microservice::server::{self, StartError};

/// The name of the service.
pub const NAME: Name = Name {
    name: "events",
    version: env!("CARGO_PKG_VERSION"),
};

/// Reads the configuration and serves until the process ends.
pub fn run(lookup: impl Fn(&str) -> Option<String>) -> Result<(), StartError> {
    let config = config::Config::read(lookup)?;
    server::run(NAME, config.settings.clone(), |context| {
        service::Events::new(config, context)
    })
}
