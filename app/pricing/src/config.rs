//! Configuration: what the service can be told.

use microservice::config::{self, ConfigError, Settings};
use microservice::dapr::{AppToken, Sidecar};

/// Everything the service can be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// What every service can be told.
    pub settings: Settings,
    /// The Dapr sidecar, whose state holds the rules; without one they are those built in.
    pub sidecar: Option<Sidecar>,
    /// What the sidecar proves itself with, if anything.
    pub app_token: Option<AppToken>,
}

impl Config {
    /// Reads the configuration from variables, of which an empty one counts as not set.
    pub fn read(lookup: impl Fn(&str) -> Option<String>) -> Result<Config, ConfigError> {
        config::read(lookup, |reader| Config {
            settings: reader.settings(),
            sidecar: reader.sidecar(),
            app_token: reader.app_token(),
        })
    }
}
