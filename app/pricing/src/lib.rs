//! The pricing service: one source for WebAssembly under crun and WasmEdge, and for its native build.
//!
//! It computes the shipping and the tax of an order by rules. A request passes through these modules from top to
//! bottom, after the server of [`microservice`]:
//!
//! - [`http`] (pure): from a request to an action.
//! - [`rules`] (pure): the rules and their JSON form.
//! - [`price`] (pure): from goods to shipping and tax.
//! - [`service`]: executes the action.
//! - [`rule_store`] (edge): stores the rules in the state store of the Dapr sidecar, if there is one.
//!
//! A panic aborts the process, see [`microservice`]: no code that a request, a body or a rule can reach may panic.

pub mod config;
pub mod http;
pub mod price;
pub mod rule_store;
pub mod rules;
pub mod service;

use microservice::context::Name;
use microservice::server::{self, StartError};

/// The name of the service.
pub const NAME: Name = Name {
    name: "pricing",
    version: env!("CARGO_PKG_VERSION"),
};

/// Reads the configuration and serves until the process ends.
pub fn run(lookup: impl Fn(&str) -> Option<String>) -> Result<(), StartError> {
    let config = config::Config::read(lookup)?;
    server::run(NAME, config.settings.clone(), |context| {
        service::Pricing::new(config, context)
    })
}
