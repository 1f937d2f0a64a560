//! The configuration of the service.

use microservice::config::{self, ConfigError, Settings};
use microservice::dapr::{AppToken, Sidecar};

/// The configuration of the service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// The settings of every service.
    pub settings: Settings,
    /// The Dapr sidecar, in whose state store the rules are; without it, the built-in rules apply.
    pub sidecar: Option<Sidecar>,
    /// The token of the sidecar's requests, if they must have one.
    pub app_token: Option<AppToken>,
}

impl Config {
    /// Reads the configuration from variables. An empty variable counts as not set.
    pub fn read(lookup: impl Fn(&str) -> Option<String>) -> Result<Config, ConfigError> {
        config::read(lookup, |reader| Config {
            settings: reader.settings(),
            sidecar: reader.sidecar(),
            app_token: reader.app_token(),
        })
    }
}
