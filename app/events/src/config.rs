//! Configuration: what the service can be told.

use microservice::config::{self, ConfigError, DatabaseSettings, Settings};
use microservice::dapr::{AppToken, Sidecar};
use microservice::signature::Secret;

/// Everything the service can be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// What every service can be told.
    pub settings: Settings,
    /// The database.
    pub database: DatabaseSettings,
    /// What senders of events must know, if anything.
    pub secret: Option<Secret>,
    /// The Dapr sidecar, which delivers events where there is one.
    pub sidecar: Option<Sidecar>,
    /// What the sidecar proves itself with, if anything.
    pub app_token: Option<AppToken>,
    /// For how many days events are kept; 0 for ever.
    pub retention_days: u32,
}

impl Config {
    /// Reads the configuration from variables, of which an empty one counts as not set.
    pub fn read(lookup: impl Fn(&str) -> Option<String>) -> Result<Config, ConfigError> {
        config::read(lookup, |reader| Config {
            settings: reader.settings(),
            database: reader.database(),
            secret: reader.secret("EVENTS_SECRET"),
            sidecar: reader.sidecar(),
            app_token: reader.app_token(),
            retention_days: reader.parse("EVENTS_RETENTION_DAYS", 30, "a number of days, 0 for ever"),
        })
    }
}
