//! The orders service: one source for WebAssembly under crun and WasmEdge, and for its native build.
//!
//! A request passes through these modules from top to bottom, after the server of [`microservice`]:
//!
//! - [`http`] (pure): from a request to an action, and from an outcome to a response.
//! - [`order`] (pure): orders, their validation, money in whole cents.
//! - [`service`]: executes the action.
//! - [`command`] (pure): the commands of the store.
//! - [`store`] (edge): the SQL, the migration that [`schema`] (pure) plans.
//!
//! If there is a pricing service ([`pricing`], edge), it completes orders without shipping and tax. In the background,
//! each committed change is sent as an [`event`] (pure) to another service.
//!
//! A panic aborts the process, see [`microservice`]: no code that a request, a body or a row of the database can reach
//! may panic.

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

/// The name of the service.
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
