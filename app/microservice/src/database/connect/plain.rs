//! Opens connections without TLS, and explains why one cannot be opened.

use mysql_async::{Conn, Error, OptsBuilder};

/// <https://mariadb.com/docs/server/reference/error-codes>
const ACCESS_DENIED: u16 = 1045;

const TLS_REQUIRED_MESSAGE: &str =
    "the database takes encrypted connections alone, and this service is set to plain ones (DATABASE_TLS)";

/// Why connecting failed.
#[derive(Debug)]
pub struct ConnectError {
    /// For the log, as a part of a sentence about the database.
    pub reason: String,
    /// For clients, if an administrator of the database has to fix it.
    pub client_message: Option<&'static str>,
}

impl<S: Into<String>> From<S> for ConnectError {
    fn from(reason: S) -> ConnectError {
        ConnectError {
            reason: reason.into(),
            client_message: None,
        }
    }
}

/// Opens a connection without TLS.
pub async fn connect(options: OptsBuilder) -> Result<Conn, ConnectError> {
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

/// Describes an error of the driver, which fails on status flags that it does not know. A server whose default
/// `sql_mode` has ANSI_QUOTES sends one with its greeting, before the session can change the mode.
pub fn describe_error(error: &Error) -> ConnectError {
    let reason = error.to_string();
    if reason.contains("StatusFlags") {
        format!("{reason} (set an sql_mode without ANSI_QUOTES for the server: its driver takes no other)")
    } else {
        reason
    }
    .into()
}
