//! Edge: a TLS stream, with access to the TCP stream as the drivers need it.

use std::io::Result;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_io::{AsyncRead, AsyncWrite};
use futures_rustls::client::TlsStream;
use tokio::io::{AsyncRead as TokioRead, AsyncWrite as TokioWrite};
use tokio_util::compat::Compat;

/// A TLS stream: `get_ref().get_ref().get_ref()` is the TCP stream.
pub type Stream<IO> = Compat<Session<IO>>;

/// The TLS session.
#[derive(Debug)]
pub struct Session<IO>(TlsStream<Compat<IO>>);

impl<IO> Session<IO> {
    pub(crate) fn new(stream: TlsStream<Compat<IO>>) -> Session<IO> {
        Session(stream)
    }

    /// The stream below.
    pub fn get_ref(&self) -> &Compat<IO> {
        self.0.get_ref().0
    }

    /// The stream below.
    pub fn get_mut(&mut self) -> &mut Compat<IO> {
        self.0.get_mut().0
    }
}

impl<IO: TokioRead + TokioWrite + Unpin> AsyncRead for Session<IO> {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &mut [u8]) -> Poll<Result<usize>> {
        Pin::new(&mut self.0).poll_read(context, bytes)
    }
}

impl<IO: TokioRead + TokioWrite + Unpin> AsyncWrite for Session<IO> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_close(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.0).poll_close(context)
    }
}
