//! Configuration: what the service can be told.

use microservice::config::{self, ConfigError, Settings};
use microservice::dapr::Sidecar;

/// Everything the service can be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// What every service can be told.
    pub settings: Settings,
    /// The Dapr sidecar, through which the orders service is reached.
    pub sidecar: Sidecar,
}

impl Config {
    /// Reads the configuration from variables, of which an empty one counts as not set.
    ///
    /// # Errors
    /// When a variable is wrong, or no sidecar is named.
    pub fn read(lookup: impl Fn(&str) -> Option<String>) -> Result<Config, ConfigError> {
        config::read(lookup, |reader| Config {
            settings: reader.settings(),
            sidecar: reader.required_sidecar(),
        })
    }
}
