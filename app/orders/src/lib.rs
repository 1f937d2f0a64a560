//! The orders service: one source for WebAssembly under crun and WasmEdge, and for its native build.
//!
//! A request passes through these modules from top to bottom, after the server of [`microservice`]:
//!
//! - [`http`] (pure): a complete request to an action, an outcome to an answer.
//! - [`order`] (pure): the rules of an order, money in whole cents.
//! - [`service`]: does the action, tells the outcome.
//! - [`command`] (pure): what can be done with the orders.
//! - [`store`] (edge): the SQL, the migration that [`schema`] (pure) plans.
//!
//! Orders that come without shipping and tax are completed by another service ([`pricing`], edge), where there is one.
//! Beside the requests, each committed change is announced as an [`event`] (pure) to another service.
//!
//! A panic would end the process for every client at once, see [`microservice`]: no code that a
//! request, a body or a row of the database can reach may panic.

pub mod command;
pub mod config;
pub mod event;
pub mod http;
pub mod order;
mod outbox_relay;
pub mod pricing;
mod receiver;
pub mod schema;
pub mod service;
mod sidecar;
pub mod store;

use microservice::context::Name;
use microservice::server::{self, StartError};

/// What the service is called.
pub const NAME: Name = Name {
    name: "orders",
    version: env!("CARGO_PKG_VERSION"),
};

/// Reads the configuration and serves until the process ends.
pub fn run(lookup: impl Fn(&str) -> Option<String>) -> Result<(), StartError> {
    let config = config::Config::read(lookup)?;
    server::run(NAME, config.settings.clone(), |context| {
        service::Orders::new(config, context)
    })
}
