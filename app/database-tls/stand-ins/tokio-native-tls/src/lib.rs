//! What mysql_async encrypts by: [`database_tls`], as in the guest.

#![cfg(not(target_os = "wasi"))]

use native_tls::Error;
use tokio::io::{AsyncRead, AsyncWrite};

/// An encrypted stream.
pub type TlsStream<S> = database_tls::Stream<S>;

/// What makes encrypted streams.
#[derive(Clone, Copy, Debug)]
pub struct TlsConnector;

impl From<native_tls::TlsConnector> for TlsConnector {
    fn from(_: native_tls::TlsConnector) -> TlsConnector {
        TlsConnector
    }
}

impl TlsConnector {
    /// Does the handshake of the attempt that this task is in. The driver's `domain` is the address that it connects to.
    pub async fn connect<S>(&self, _domain: &str, stream: S) -> Result<TlsStream<S>, Error>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        Ok(database_tls::encrypt(stream).await?)
    }
}
