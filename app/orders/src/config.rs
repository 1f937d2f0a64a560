//! Configuration: what the service can be told.

use microservice::client::Endpoint;
use microservice::config::{self, ConfigError, DatabaseSettings, Settings};
use microservice::signature::Secret;

/// Everything the service can be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// What every service can be told.
    pub settings: Settings,
    /// The database.
    pub database: DatabaseSettings,
    /// Where changes are announced, if anywhere.
    pub events: Option<Endpoint>,
    /// What the receiver of events and this service share, if anything.
    pub events_secret: Option<Secret>,
}

impl Config {
    /// Reads the configuration from variables, of which an empty one counts as not set.
    pub fn read(lookup: impl Fn(&str) -> Option<String>) -> Result<Config, ConfigError> {
        config::read(lookup, |reader| Config {
            settings: reader.settings(),
            database: reader.database(),
            events: reader.endpoint("EVENTS_URL"),
            events_secret: reader.secret("EVENTS_SECRET"),
        })
    }
}
