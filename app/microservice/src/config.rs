//! Configuration from environment variables. All errors are collected.

use std::fmt;
use std::net::SocketAddr;
use std::num::NonZeroU16;

use crate::client::Endpoint;
use crate::dapr::{AppToken, Sidecar};
use crate::database_settings;
pub use crate::database_settings::{DatabaseSettings, Password};
use crate::http::{Hosts, Origin, Origins};
use crate::log::Level;
use crate::signature::Secret;
use crate::tls_settings::TlsMode;
pub use crate::tls_settings::TlsSettings;

/// The settings of every service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Where to listen.
    pub listen_address: SocketAddr,
    /// The name of this process among its replicas.
    pub instance: String,
    /// Which web sites may use the service, and under which host names.
    pub origins: Origins,
    /// The log level.
    pub log: Level,
}

/// All problems of a configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    /// Sentences that start with the name of the variable.
    pub problems: Vec<String>,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the configuration is not valid:")?;
        self.problems
            .iter()
            .try_for_each(|problem| write!(formatter, "\n  {problem}"))
    }
}

impl std::error::Error for ConfigError {}

/// Reads variables and collects their problems. An empty variable counts as not set.
pub struct Reader<'lookup> {
    lookup: &'lookup dyn Fn(&str) -> Option<String>,
    problems: Vec<String>,
}

/// Reads the configuration of a service. The error has all problems.
pub fn read<C>(
    lookup: impl Fn(&str) -> Option<String>,
    config: impl FnOnce(&mut Reader<'_>) -> C,
) -> Result<C, ConfigError> {
    let mut reader = Reader {
        lookup: &lookup,
        problems: Vec::new(),
    };
    let config = config(&mut reader);
    if reader.problems.is_empty() {
        Ok(config)
    } else {
        Err(ConfigError {
            problems: reader.problems,
        })
    }
}

const DATABASE_VARIABLES: [&str; 5] = [
    "DATABASE_HOST",
    "DATABASE_PORT",
    "DATABASE_USER",
    "DATABASE_PASSWORD",
    "DATABASE_NAME",
];

impl Reader<'_> {
    /// The settings of every service.
    pub fn settings(&mut self) -> Settings {
        Settings {
            listen_address: self.parse(
                "LISTEN_ADDRESS",
                SocketAddr::from(([0, 0, 0, 0], 8080)),
                "an address and a port, like 0.0.0.0:8080",
            ),
            instance: ["INSTANCE_NAME", "HOSTNAME"]
                .into_iter()
                .find_map(|name| self.get(name))
                .unwrap_or_else(|| "local".to_owned()),
            origins: self.origins(),
            log: self.parse("LOG", Level::Info, "off, error, warn, info or debug"),
        }
    }

    /// The value of a variable.
    pub fn get(&self, name: &str) -> Option<String> {
        (self.lookup)(name).filter(|value| !value.is_empty())
    }

    /// Adds a problem with the value of a variable.
    pub fn add_problem(&mut self, name: &str, message: impl fmt::Display) {
        self.problems.push(format!("{name} {message}"));
    }

    /// The parsed value of a variable; `default` if it is not set.
    pub fn parse<T: std::str::FromStr>(&mut self, name: &str, default: T, expected: &str) -> T {
        match self.get(name).map(|text| text.parse()) {
            None => default,
            Some(Ok(value)) => value,
            Some(Err(_)) => {
                self.add_problem(name, format_args!("must be {expected}"));
                default
            }
        }
    }

    fn required(&mut self, name: &str) -> String {
        self.get(name).unwrap_or_else(|| {
            self.add_problem(name, "is missing (or set DATABASE_URL for all of them)");
            String::new()
        })
    }

    /// The endpoint of another service, if the variable is set.
    pub fn endpoint(&mut self, name: &str) -> Option<Endpoint> {
        let url = self.get(name)?;
        Endpoint::parse(&url)
            .map_err(|message| self.add_problem(name, message))
            .ok()
    }

    /// A secret that is shared with another service, if the variable is set.
    pub fn secret(&mut self, name: &str) -> Option<Secret> {
        const MIN_CHARACTERS: usize = 16;
        let secret = self.get(name)?;
        if secret.chars().count() < MIN_CHARACTERS {
            self.add_problem(name, format_args!("must have at least {MIN_CHARACTERS} characters"));
        }
        Some(Secret::new(secret))
    }

    /// The Dapr sidecar, if there is one.
    pub fn sidecar(&mut self) -> Option<Sidecar> {
        const NAME: &str = "DAPR_HTTP_PORT";
        self.get(NAME)?;
        let port = self.parse(NAME, NonZeroU16::MIN, "a port number");
        Some(Sidecar::new(port.get()))
    }

    /// The Dapr sidecar of a service that cannot do without.
    pub fn required_sidecar(&mut self) -> Sidecar {
        self.sidecar().unwrap_or_else(|| {
            self.add_problem("DAPR_HTTP_PORT", "is missing: the port of the Dapr sidecar's HTTP API");
            Sidecar::new(NonZeroU16::MIN.get())
        })
    }

    /// The token of the sidecar's requests, if they must have one.
    pub fn app_token(&mut self) -> Option<AppToken> {
        self.secret("APP_API_TOKEN").map(AppToken::new)
    }

    /// The settings of the database.
    pub fn database(&mut self) -> DatabaseSettings {
        let (pool_min, pool_max) = self.pool();
        let (mut database, tls) = match self.get("DATABASE_URL") {
            Some(url) => self.parse_database_url(&url),
            None => (self.read_database_variables(), None),
        };
        database.tls = self.tls(tls);
        (database.pool_min, database.pool_max) = (pool_min, pool_max);
        database
    }

    fn parse_database_url(&mut self, url: &str) -> (DatabaseSettings, Option<TlsMode>) {
        for name in DATABASE_VARIABLES {
            if self.get(name).is_some() {
                self.add_problem(name, "must not be set together with DATABASE_URL");
            }
        }
        database_settings::parse_url(url).unwrap_or_else(|problems| {
            for message in problems {
                self.add_problem("DATABASE_URL", message);
            }
            (DatabaseSettings::placeholder(), None)
        })
    }

    fn tls(&mut self, url_mode: Option<TlsMode>) -> Option<TlsSettings> {
        const NAME: &str = "DATABASE_TLS";
        const FILE: &str = "DATABASE_CA";
        let is_set = self.get(NAME).is_some();
        let mode = self.parse(NAME, url_mode.unwrap_or(TlsMode::Off), "off, preferred or required");
        if is_set && url_mode.is_some_and(|url_mode| url_mode != mode) {
            self.add_problem(NAME, "says something else than DATABASE_URL does; set one of them");
        }
        let file = self.get(FILE);
        if mode == TlsMode::Off {
            // If a CA file is set, TLS is most likely intended, and must not be off by default.
            if file.is_some() && !is_set && url_mode.is_none() {
                self.add_problem(
                    NAME,
                    format_args!("is missing beside {FILE}: set required, preferred or off"),
                );
            }
            return None;
        }
        if cfg!(not(feature = "tls")) {
            self.add_problem(
                NAME,
                "must be off, and is not (or DATABASE_URL asks for it): TLS is left out of this build, which would connect \
                 without; take the image that has it, made with the Cargo feature `tls`",
            );
            return None;
        }
        let Some(file) = file else {
            self.add_problem(
                FILE,
                "is missing: the file of the authorities that have signed the database's certificate, in PEM",
            );
            return None;
        };
        #[cfg(feature = "tls")]
        if let Err(error) = database_tls::Trust::read(std::path::Path::new(&file)) {
            self.add_problem(FILE, format_args!("names no authorities: {error}"));
        }
        Some(TlsSettings {
            is_required: mode == TlsMode::Required,
            authorities: file.into(),
        })
    }

    fn read_database_variables(&mut self) -> DatabaseSettings {
        DatabaseSettings {
            host: self.required("DATABASE_HOST"),
            port: self.port(),
            user: self.required("DATABASE_USER"),
            password: Password::new(self.get("DATABASE_PASSWORD").unwrap_or_default()),
            name: self.required("DATABASE_NAME"),
            ..DatabaseSettings::placeholder()
        }
    }

    fn port(&mut self) -> u16 {
        const NAME: &str = "DATABASE_PORT";
        // https://kubernetes.io/docs/concepts/services-networking/service/#environment-variables
        if self.get(NAME).is_some_and(|port| port.contains("://")) {
            self.add_problem(
                NAME,
                "is what Kubernetes injects for a Service named `database`; \
                 set it in the pod, or set enableServiceLinks: false there",
            );
            return 3306;
        }
        self.parse(NAME, 3306, "a port number")
    }

    fn pool(&mut self) -> (usize, usize) {
        const MAX_CONNECTIONS: usize = 1_000;
        let min = self.parse("DATABASE_POOL_MIN", 2, "a number");
        let max = self.parse("DATABASE_POOL_MAX", 10, "a number");
        if max == 0 || max > MAX_CONNECTIONS {
            self.add_problem("DATABASE_POOL_MAX", format_args!("must be 1 to {MAX_CONNECTIONS}"));
        } else if min > max && self.get("DATABASE_POOL_MIN").is_some() {
            self.add_problem(
                "DATABASE_POOL_MIN",
                format_args!("must not be greater than DATABASE_POOL_MAX, which is {max}"),
            );
        }
        (min.min(max), max)
    }

    fn hosts(&mut self) -> Hosts {
        const NAME: &str = "ALLOWED_HOSTS";
        let list = self.get(NAME).unwrap_or_default();
        Hosts::parse(&list).unwrap_or_else(|invalid| {
            self.add_problem(NAME, format_args!("must list names like shop.example, not `{invalid}`"));
            Hosts::default()
        })
    }

    fn origins(&mut self) -> Origins {
        const NAME: &str = "CORS_ALLOW_ORIGIN";
        let list = self.get(NAME).unwrap_or_default();
        let mut origins = Vec::new();
        for text in list.split([',', ' ']).filter(|text| !text.is_empty()) {
            match Origin::parse(text) {
                Some(origin) => origins.push(origin),
                None => self.add_problem(
                    NAME,
                    format_args!("must list origins like https://shop.example, not `{text}`"),
                ),
            }
        }
        Origins::new(origins, self.hosts())
    }
}
