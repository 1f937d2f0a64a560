//! The configuration of the service.

use microservice::config::{self, ConfigError, DatabaseSettings, Reader, Settings};
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
            retention_days: read_retention_days(reader),
        })
    }
}

fn read_retention_days(reader: &mut Reader<'_>) -> u32 {
    const NAME: &str = "EVENTS_RETENTION_DAYS";
    // The database knows no dates before the year 0.
    const MAX_DAYS: u32 = 36_500;
    let days = reader.parse(NAME, 30, "a number of days, 0 for ever");
    if days > MAX_DAYS {
        reader.add_problem(NAME, format_args!("must be at most {MAX_DAYS} days, or 0 for ever"));
    }
    days
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_kept_for_a_time_that_the_database_knows() {
        let read = |days: &str| {
            let config = Config::read(|name| match name {
                "DATABASE_URL" => Some("mysql://a:secret@b/c".to_owned()),
                "EVENTS_RETENTION_DAYS" => Some(days.to_owned()),
                _ => None,
            });
            config
                .map(|config| config.retention_days)
                .map_err(|error| error.problems)
        };
        for (days, expected) in [("", 30), ("0", 0), ("36500", 36_500)] {
            assert_eq!(read(days), Ok(expected), "{days}");
        }
        for (days, problem) in [
            (
                "36501",
                "EVENTS_RETENTION_DAYS must be at most 36500 days, or 0 for ever",
            ),
            (
                "1000000",
                "EVENTS_RETENTION_DAYS must be at most 36500 days, or 0 for ever",
            ),
            ("-1", "EVENTS_RETENTION_DAYS must be a number of days, 0 for ever"),
        ] {
            assert_eq!(read(days), Err(vec![problem.to_owned()]), "{days}");
        }
    }
}
