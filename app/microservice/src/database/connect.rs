//! Edge: opens connections, with or without TLS.

use mysql_async::{Conn, Error, OptsBuilder};

use crate::config::DatabaseSettings;

#[cfg(feature = "tls")]
use tls::TlsConnector;

/// Why connecting failed.
#[derive(Debug)]
pub(super) struct ConnectError {
    /// For the log, as a part of a sentence about the database.
    pub(super) reason: String,
    /// For clients, if an administrator of the database has to fix it.
    pub(super) client_message: Option<&'static str>,
}

impl<S: Into<String>> From<S> for ConnectError {
    fn from(reason: S) -> ConnectError {
        ConnectError {
            reason: reason.into(),
            client_message: None,
        }
    }
}

/// Opens connections.
#[derive(Debug)]
pub(super) struct Connector {
    #[cfg(feature = "tls")]
    tls: Option<TlsConnector>,
}

impl Connector {
    pub(super) fn new(_settings: &DatabaseSettings) -> Connector {
        Connector {
            #[cfg(feature = "tls")]
            tls: _settings.tls.clone().map(|tls| TlsConnector::new(tls, &_settings.host)),
        }
    }

    /// Opens a connection. Its session is not set up yet.
    pub(super) async fn connect(&self, options: OptsBuilder) -> Result<Conn, ConnectError> {
        #[cfg(feature = "tls")]
        if let Some(tls) = &self.tls {
            return tls.connect(options).await;
        }
        connect_without_tls(options).await
    }
}

async fn connect_without_tls(options: OptsBuilder) -> Result<Conn, ConnectError> {
    Conn::new(options).await.map_err(|error| match &error {
        // By its text, since MySQL and MariaDB number this error differently.
        Error::Server(server) if server.message.contains("insecure transport") => ConnectError {
            reason: format!(
                "{error} (this server takes encrypted connections alone: set DATABASE_TLS=required and DATABASE_CA)"
            ),
            client_message: Some(TLS_REQUIRED_MESSAGE),
        },
        Error::Server(server) if server.code == ACCESS_DENIED => {
            format!("{error} (an account that must use TLS needs DATABASE_TLS=required and DATABASE_CA)").into()
        }
        _ => describe_error(&error),
    })
}

/// <https://mariadb.com/docs/server/reference/error-codes>
const ACCESS_DENIED: u16 = 1045;

const TLS_REQUIRED_MESSAGE: &str =
    "the database takes encrypted connections alone, and this service is set to plain ones (DATABASE_TLS)";

/// The driver fails on status flags that it does not know. A server whose default `sql_mode` has ANSI_QUOTES sends one
/// with its greeting, before the session can change the mode.
fn describe_error(error: &Error) -> ConnectError {
    let reason = error.to_string();
    if reason.contains("StatusFlags") {
        format!("{reason} (set an sql_mode without ANSI_QUOTES for the server: its driver takes no other)")
    } else {
        reason
    }
    .into()
}

#[cfg(feature = "tls")]
mod tls {
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::sync::{Mutex, MutexGuard, PoisonError};

    use database_tls::{Outcome, Trust};
    use mysql_async::{DriverError, SslOpts};

    use super::*;
    use crate::config::TlsSettings;
    use crate::log::{self, Level};

    const TLS_FAILED_MESSAGE: &str =
        "the database's certificate is refused or its TLS fails (the log of the service says why); nothing was changed";
    const TLS_MISSING_MESSAGE: &str =
        "the database offers no TLS, and this service is set to use nothing else (DATABASE_TLS)";

    /// Opens connections with TLS.
    #[derive(Debug)]
    pub(super) struct TlsConnector {
        settings: TlsSettings,
        host: String,
        /// The file of authorities, read with the first connection. Read again after a server's certificate was
        /// refused, because the file may have been renewed.
        trust: Mutex<Option<Trust>>,
        /// Whether the log already says that connections are not encrypted.
        is_warned: AtomicBool,
    }

    impl TlsConnector {
        pub(super) fn new(settings: TlsSettings, host: &str) -> TlsConnector {
            TlsConnector {
                settings,
                host: host.to_owned(),
                trust: Mutex::default(),
                is_warned: AtomicBool::new(false),
            }
        }

        pub(super) async fn connect(&self, options: OptsBuilder) -> Result<Conn, ConnectError> {
            let attempt = self.trust()?.attempt(&self.host)?;
            let encrypted = options.clone().ssl_opts(SslOpts::default());
            match attempt.run(Conn::new(encrypted)).await {
                (Ok(connection), Outcome::Encrypted) => Ok(connection),
                (Ok(_), _) => {
                    Err("the driver has not encrypted the connection, which is a fault of this service".into())
                }
                (Err(Error::Driver(DriverError::NoClientSslFlagFromServer)), _) => {
                    self.fall_back_to_plain(options).await
                }
                (Err(_), Outcome::Refused(reason)) => {
                    self.lock().take();
                    Err(ConnectError {
                        reason,
                        client_message: Some(TLS_FAILED_MESSAGE),
                    })
                }
                (Err(error), _) => Err(describe_error(&error)),
            }
        }

        async fn fall_back_to_plain(&self, options: OptsBuilder) -> Result<Conn, ConnectError> {
            if self.settings.is_required {
                return Err(ConnectError {
                    reason:
                        "it offers no TLS, and DATABASE_TLS is `required`: give it a certificate (ssl_cert and ssl_key)"
                            .to_owned(),
                    client_message: Some(TLS_MISSING_MESSAGE),
                });
            }
            let connection = connect_without_tls(options).await?;
            if !self.is_warned.swap(true, Ordering::Relaxed) {
                log::event(
                    Level::Warn,
                    "database: it offers no TLS, and DATABASE_TLS is `preferred`: what is sent and received is not encrypted",
                );
            }
            Ok(connection)
        }

        fn trust(&self) -> Result<Trust, String> {
            let mut cached = self.lock();
            if let Some(trust) = &*cached {
                return Ok(trust.clone());
            }
            let trust = Trust::read(&self.settings.authorities).map_err(|error| format!("DATABASE_CA: {error}"))?;
            Ok(cached.insert(trust).clone())
        }

        fn lock(&self) -> MutexGuard<'_, Option<Trust>> {
            self.trust.lock().unwrap_or_else(PoisonError::into_inner)
        }
    }
}
