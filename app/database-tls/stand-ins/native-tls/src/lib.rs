//! What mysql_async says of TLS. What is believed is no matter of the driver's, see [`database_tls`]: whatever it asks for
//! beyond an encrypted stream is refused.
//!
//! [`database_tls`]: https://doc.rust-lang.org/cargo/reference/overriding-dependencies.html

use std::marker::PhantomData;

/// Why there is no encrypted stream.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The handshake failed.
    #[error(transparent)]
    Handshake(#[from] std::io::Error),
    /// The driver's options say what the task that connects has to say.
    #[error("the driver's options for TLS are not used: the service's settings say which certificates are believed")]
    Options,
}

/// An error that the driver has a place for.
#[derive(Debug, thiserror::Error)]
#[error("the handshake was interrupted")]
pub struct HandshakeError<S>(PhantomData<S>);

/// A certificate that the driver would have believed.
#[derive(Clone, Copy, Debug)]
pub struct Certificate;

impl Certificate {
    /// Refuses it.
    pub fn from_der(_: &[u8]) -> Result<Certificate, Error> {
        Err(Error::Options)
    }

    /// Refuses it.
    pub fn from_pem(_: &[u8]) -> Result<Certificate, Error> {
        Err(Error::Options)
    }
}

/// A certificate that the driver would have shown.
#[derive(Clone, Copy, Debug)]
pub struct Identity;

impl Identity {
    /// Refuses it.
    pub fn from_pkcs12(_: &[u8], _: &str) -> Result<Identity, Error> {
        Err(Error::Options)
    }
}

/// What makes encrypted streams.
#[derive(Clone, Copy, Debug)]
pub struct TlsConnector;

impl TlsConnector {
    /// One without options.
    pub fn builder() -> TlsConnectorBuilder {
        TlsConnectorBuilder { has_options: false }
    }
}

/// The options of a driver.
#[derive(Clone, Copy, Debug)]
pub struct TlsConnectorBuilder {
    has_options: bool,
}

impl TlsConnectorBuilder {
    fn note(&mut self, is_option: bool) -> &mut TlsConnectorBuilder {
        self.has_options |= is_option;
        self
    }

    /// Is refused when it is built.
    pub fn add_root_certificate(&mut self, _: Certificate) -> &mut TlsConnectorBuilder {
        self.note(true)
    }

    /// Is refused when it is built.
    pub fn identity(&mut self, _: Identity) -> &mut TlsConnectorBuilder {
        self.note(true)
    }

    /// Is refused when it is built, unless it asks for nothing.
    pub fn danger_accept_invalid_hostnames(&mut self, accept: bool) -> &mut TlsConnectorBuilder {
        self.note(accept)
    }

    /// Is refused when it is built, unless it asks for nothing.
    pub fn danger_accept_invalid_certs(&mut self, accept: bool) -> &mut TlsConnectorBuilder {
        self.note(accept)
    }

    /// What makes encrypted streams, without options.
    pub fn build(&self) -> Result<TlsConnector, Error> {
        match self.has_options {
            true => Err(Error::Options),
            false => Ok(TlsConnector),
        }
    }
}
