//! A stand-in for tokio-native-tls, as mysql_async uses it, on [`database_tls`] as in the guest.

#![cfg(not(target_os = "wasi"))]

use native_tls::Error;
use tokio::io::{AsyncRead, AsyncWrite};

/// A TLS stream.
pub type TlsStream<S> = database_tls::Stream<S>;

/// Creates TLS streams.
#[derive(Clone, Copy, Debug)]
pub struct TlsConnector;

impl From<native_tls::TlsConnector> for TlsConnector {
    fn from(_: native_tls::TlsConnector) -> TlsConnector {
        TlsConnector
    }
}

impl TlsConnector {
    /// Performs the handshake of the attempt of the current task. The driver's `domain` is an IP address, and not used.
    pub async fn connect<S>(&self, _domain: &str, stream: S) -> Result<TlsStream<S>, Error>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        Ok(database_tls::encrypt(stream).await?)
    }
}
