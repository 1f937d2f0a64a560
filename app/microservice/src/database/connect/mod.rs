//! Edge: opens connections, with or without TLS.

mod plain;
#[cfg(feature = "tls")]
mod tls;

use mysql_async::{Conn, OptsBuilder};

use crate::config::DatabaseSettings;

pub use plain::ConnectError;

#[cfg(feature = "tls")]
use tls::TlsConnector;

/// Opens connections.
#[derive(Debug)]
pub struct Connector {
    #[cfg(feature = "tls")]
    tls: Option<TlsConnector>,
}

impl Connector {
    /// A connector with these settings.
    pub fn new(_settings: &DatabaseSettings) -> Connector {
        Connector {
            #[cfg(feature = "tls")]
            tls: _settings.tls.clone().map(|tls| TlsConnector::new(tls, &_settings.host)),
        }
    }

    /// Opens a connection. Its session is not set up yet.
    pub async fn connect(&self, options: OptsBuilder) -> Result<Conn, ConnectError> {
        #[cfg(feature = "tls")]
        if let Some(tls) = &self.tls {
            return tls.connect(options).await;
        }
        plain::connect(options).await
    }
}
