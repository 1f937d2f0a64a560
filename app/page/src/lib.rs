//! The page of the orders.
//!
//! - [`files`] (pure): the page itself, which the orders service serves where there is no other server for it.
//! - [`run`]: a service of its own, which serves the page and forwards what the page asks to the orders service, through the
//!   Dapr sidecar beside it. It has no database and keeps nothing.
//!
//! A panic would end the process for every client at once, see [`microservice`]: no code that a request or an answer can
//! reach may panic.

pub mod config;
pub mod files;
pub mod http;
pub mod service;

use microservice::context::Name;
use microservice::server::{self, StartError};

/// What the service is called.
pub const NAME: Name = Name {
    name: "page",
    version: env!("CARGO_PKG_VERSION"),
};

/// Reads the configuration and serves until the process ends.
///
/// # Errors
/// When a setting is wrong, or the address cannot be listened on.
pub fn run(lookup: impl Fn(&str) -> Option<String>) -> Result<(), StartError> {
    let config = config::Config::read(lookup)?;
    server::run(NAME, config.settings.clone(), |context| {
        service::PageService::new(&config, context)
    })
}
