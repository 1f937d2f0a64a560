//! Opens connections with TLS.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use database_tls::{Outcome, Trust};
use mysql_async::{Conn, DriverError, Error, OptsBuilder, SslOpts};

use super::plain::{self, describe_error, ConnectError};
use crate::config::TlsSettings;
use crate::log::{self, Level};

const TLS_FAILED_MESSAGE: &str =
    "the database's certificate is refused or its TLS fails (the log of the service says why); nothing was changed";
const TLS_MISSING_MESSAGE: &str =
    "the database offers no TLS, and this service is set to use nothing else (DATABASE_TLS)";

/// Opens connections with TLS.
#[derive(Debug)]
pub struct TlsConnector {
    settings: TlsSettings,
    host: String,
    /// The file of authorities, read with the first connection. Read again after a server's certificate was
    /// refused, because the file may have been renewed.
    trust: Mutex<Option<Trust>>,
    /// Whether the log already says that connections are not encrypted.
    is_warned: AtomicBool,
}

impl TlsConnector {
    /// A connector to this host.
    pub fn new(settings: TlsSettings, host: &str) -> TlsConnector {
        TlsConnector {
            settings,
            host: host.to_owned(),
            trust: Mutex::default(),
            is_warned: AtomicBool::new(false),
        }
    }

    /// Opens a connection with TLS, or without if the server offers none and the settings allow that.
    pub async fn connect(&self, options: OptsBuilder) -> Result<Conn, ConnectError> {
        let attempt = self.trust()?.attempt(&self.host)?;
        let encrypted = options.clone().ssl_opts(SslOpts::default());
        match attempt.run(Conn::new(encrypted)).await {
            (Ok(connection), Outcome::Encrypted) => Ok(connection),
            (Ok(_), _) => Err("the driver has not encrypted the connection, which is a fault of this service".into()),
            (Err(Error::Driver(DriverError::NoClientSslFlagFromServer)), _) => self.fall_back_to_plain(options).await,
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
        let connection = plain::connect(options).await?;
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
