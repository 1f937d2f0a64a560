//! The events service: one source for WebAssembly under crun and WasmEdge, and for its native twin.
//!
//! It receives events of other services, keeps each of them once however often it arrives, and lists them.
//! A request passes through these modules from top to bottom, after the server of [`microservice`]:
//!
//! - [`http`] (pure): a complete request to an action, an outcome to an answer.
//! - [`event`] (pure): the rules of an event.
//! - [`service`]: does the action, tells the outcome.
//! - [`command`] (pure): what can be done with the events.
//! - [`store`] (edge): the SQL, the tables.
//!
//! A panic would end the process for every client at once, see [`microservice`]: no code that a
//! request, a body or a row of the database can reach may panic.

pub mod command;
pub mod config;
pub mod event;
pub mod http;
mod retention;
pub mod service;
pub mod store;

use microservice::context::Name;
use microservice::server::{self, StartError};

/// What the service is called.
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
