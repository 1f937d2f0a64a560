//! Edge: opens connections, encrypted as the settings ask for.

use mysql_async::{Conn, Error, OptsBuilder};

use crate::config::DatabaseSettings;

#[cfg(feature = "tls")]
use encrypted::Encryption;

/// Why there is no connection.
#[derive(Debug)]
pub(super) struct Failure {
    /// For the log, as a part of a sentence about the database.
    pub(super) reason: String,
    /// For clients, where it is for its administrator to mend.
    pub(super) told: Option<&'static str>,
}

impl<S: Into<String>> From<S> for Failure {
    fn from(reason: S) -> Failure {
        Failure {
            reason: reason.into(),
            told: None,
        }
    }
}

/// What opens connections.
#[derive(Debug)]
pub(super) struct Connector {
    #[cfg(feature = "tls")]
    encryption: Option<Encryption>,
}

impl Connector {
    pub(super) fn new(_settings: &DatabaseSettings) -> Connector {
        Connector {
            #[cfg(feature = "tls")]
            encryption: _settings.tls.clone().map(|tls| Encryption::new(tls, &_settings.host)),
        }
    }

    /// A connection whose session is not set up yet.
    pub(super) async fn connect(&self, options: OptsBuilder) -> Result<Conn, Failure> {
        #[cfg(feature = "tls")]
        if let Some(encryption) = &self.encryption {
            return encryption.connect(options).await;
        }
        connect_plain(options).await
    }
}

async fn connect_plain(options: OptsBuilder) -> Result<Conn, Failure> {
    Conn::new(options).await.map_err(|error| match &error {
        // MySQL and MariaDB give it different numbers.
        Error::Server(server) if server.message.contains("insecure transport") => Failure {
            reason: format!(
                "{error} (this server takes encrypted connections alone: set DATABASE_TLS=required and DATABASE_CA)"
            ),
            told: Some(ENCRYPTED_ALONE),
        },
        Error::Server(server) if server.code == ACCESS_DENIED => {
            format!("{error} (an account that must use TLS needs DATABASE_TLS=required and DATABASE_CA)").into()
        }
        _ => failure(&error),
    })
}

/// <https://mariadb.com/docs/server/reference/error-codes>
const ACCESS_DENIED: u16 = 1045;

const ENCRYPTED_ALONE: &str =
    "the database takes encrypted connections alone, and this service is set to plain ones (DATABASE_TLS)";

/// What a server says of its quotes is more than the driver knows, before anything can be set.
fn failure(error: &Error) -> Failure {
    let reason = error.to_string();
    match reason.contains("StatusFlags") {
        true => format!("{reason} (set an sql_mode without ANSI_QUOTES for the server: its driver takes no other)"),
        false => reason,
    }
    .into()
}

#[cfg(feature = "tls")]
mod encrypted {
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::sync::{Mutex, MutexGuard, PoisonError};

    use database_tls::{Outcome, Trust};
    use mysql_async::{DriverError, SslOpts};

    use super::*;
    use crate::config::TlsSettings;
    use crate::log::{self, Level};

    const REFUSED: &str =
        "the database's certificate is refused or its TLS fails (the log of the service says why); nothing was changed";
    const NO_TLS: &str = "the database offers no TLS, and this service is set to use nothing else (DATABASE_TLS)";

    /// Encrypts connections.
    #[derive(Debug)]
    pub(super) struct Encryption {
        settings: TlsSettings,
        host: String,
        /// Read when it is needed; read again after a server was refused: the file may have been renewed.
        trust: Mutex<Option<Trust>>,
        /// Whether it has been told that connections are plain.
        is_told: AtomicBool,
    }

    impl Encryption {
        pub(super) fn new(settings: TlsSettings, host: &str) -> Encryption {
            Encryption {
                settings,
                host: host.to_owned(),
                trust: Mutex::default(),
                is_told: AtomicBool::new(false),
            }
        }

        pub(super) async fn connect(&self, options: OptsBuilder) -> Result<Conn, Failure> {
            let attempt = self.trust()?.attempt(&self.host)?;
            let encrypted = options.clone().ssl_opts(SslOpts::default());
            match attempt.during(Conn::new(encrypted)).await {
                (Ok(connection), Outcome::Encrypted) => Ok(connection),
                (Ok(_), _) => {
                    Err("the driver has not encrypted the connection, which is a fault of this service".into())
                }
                (Err(Error::Driver(DriverError::NoClientSslFlagFromServer)), _) => self.connect_without(options).await,
                (Err(_), Outcome::Refused(reason)) => {
                    self.lock().take();
                    Err(Failure {
                        reason,
                        told: Some(REFUSED),
                    })
                }
                (Err(error), _) => Err(failure(&error)),
            }
        }

        async fn connect_without(&self, options: OptsBuilder) -> Result<Conn, Failure> {
            if self.settings.is_required {
                return Err(Failure {
                    reason:
                        "it offers no TLS, and DATABASE_TLS is `required`: give it a certificate (ssl_cert and ssl_key)"
                            .to_owned(),
                    told: Some(NO_TLS),
                });
            }
            let connection = connect_plain(options).await?;
            if !self.is_told.swap(true, Ordering::Relaxed) {
                log::event(
                    Level::Warn,
                    "database: it offers no TLS, and DATABASE_TLS is `preferred`: what is sent and received is not encrypted",
                );
            }
            Ok(connection)
        }

        fn trust(&self) -> Result<Trust, String> {
            let mut kept = self.lock();
            if let Some(trust) = &*kept {
                return Ok(trust.clone());
            }
            let trust = Trust::read(&self.settings.authorities).map_err(|error| format!("DATABASE_CA: {error}"))?;
            Ok(kept.insert(trust).clone())
        }

        fn lock(&self) -> MutexGuard<'_, Option<Trust>> {
            self.trust.lock().unwrap_or_else(PoisonError::into_inner)
        }
    }
}
