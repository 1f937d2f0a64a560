//! A stand-in for native-tls, as mysql_async uses it. The trusted certificates are not configured by the driver, see
//! [`database_tls`]: all of its TLS options are rejected.
//!
//! [`database_tls`]: https://doc.rust-lang.org/cargo/reference/overriding-dependencies.html

use std::marker::PhantomData;

/// Why TLS failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The handshake failed.
    #[error(transparent)]
    Handshake(#[from] std::io::Error),
    /// The driver has TLS options, which the task that connects must configure.
    #[error("the driver's options for TLS are not used: the service's settings say which certificates are believed")]
    Options,
}

/// An error type that the driver needs. It never occurs.
#[derive(Debug, thiserror::Error)]
#[error("the handshake was interrupted")]
pub struct HandshakeError<S>(PhantomData<S>);

/// A certificate that the driver would trust.
#[derive(Clone, Copy, Debug)]
pub struct Certificate;

impl Certificate {
    /// Always fails.
    pub fn from_der(_: &[u8]) -> Result<Certificate, Error> {
        Err(Error::Options)
    }

    /// Always fails.
    pub fn from_pem(_: &[u8]) -> Result<Certificate, Error> {
        Err(Error::Options)
    }
}

/// A client certificate of the driver.
#[derive(Clone, Copy, Debug)]
pub struct Identity;

impl Identity {
    /// Always fails.
    pub fn from_pkcs12(_: &[u8], _: &str) -> Result<Identity, Error> {
        Err(Error::Options)
    }
}

/// Creates TLS streams.
#[derive(Clone, Copy, Debug)]
pub struct TlsConnector;

impl TlsConnector {
    /// A builder without options.
    pub fn builder() -> TlsConnectorBuilder {
        TlsConnectorBuilder { has_options: false }
    }
}

/// The TLS options of the driver.
#[derive(Clone, Copy, Debug)]
pub struct TlsConnectorBuilder {
    has_options: bool,
}

impl TlsConnectorBuilder {
    fn record_option(&mut self, is_option: bool) -> &mut TlsConnectorBuilder {
        self.has_options |= is_option;
        self
    }

    /// Makes [`TlsConnectorBuilder::build`] fail.
    pub fn add_root_certificate(&mut self, _: Certificate) -> &mut TlsConnectorBuilder {
        self.record_option(true)
    }

    /// Makes [`TlsConnectorBuilder::build`] fail.
    pub fn identity(&mut self, _: Identity) -> &mut TlsConnectorBuilder {
        self.record_option(true)
    }

    /// If `accept`, makes [`TlsConnectorBuilder::build`] fail.
    pub fn danger_accept_invalid_hostnames(&mut self, accept: bool) -> &mut TlsConnectorBuilder {
        self.record_option(accept)
    }

    /// If `accept`, makes [`TlsConnectorBuilder::build`] fail.
    pub fn danger_accept_invalid_certs(&mut self, accept: bool) -> &mut TlsConnectorBuilder {
        self.record_option(accept)
    }

    /// The connector. Fails if there are options.
    pub fn build(&self) -> Result<TlsConnector, Error> {
        if self.has_options {
            Err(Error::Options)
        } else {
            Ok(TlsConnector)
        }
    }
}
