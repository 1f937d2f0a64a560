//! The configuration of the service.

use microservice::config::{self, ConfigError, DatabaseSettings, Settings};
use microservice::dapr::{AppToken, Sidecar};
use microservice::signature::Secret;

/// The configuration of the service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// The settings of every service.
    pub settings: Settings,
    /// The settings of the database.
    pub database: DatabaseSettings,
    /// The secret that senders of events must share, if there is one.
    pub secret: Option<Secret>,
    /// The Dapr sidecar, if there is one; then it delivers the events.
    pub sidecar: Option<Sidecar>,
    /// The token of the sidecar's requests, if they must have one.
    pub app_token: Option<AppToken>,
    /// The number of days after which events are deleted; 0 for never.
    pub retention_days: u32,
}

impl Config {
    /// Reads the configuration from variables. An empty variable counts as not set.
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
