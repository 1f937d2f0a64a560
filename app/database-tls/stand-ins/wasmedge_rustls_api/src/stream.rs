//! TLS streams.

/// Asynchronous streams.
pub mod async_stream {
    use std::io::{Error, Result};
    use std::pin::Pin;
    use std::task::{Context, Poll};

    use database_tls::{encrypt, Stream};
    use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

    use crate::ClientConfig;

    /// A TLS stream.
    #[derive(Debug)]
    pub struct TlsStream<IO>(Stream<IO>);

    impl<IO: AsyncRead + AsyncWrite + Unpin> TlsStream<IO> {
        /// Performs the handshake of the attempt of the current task. The driver's `domain` is an IP address, and not
        /// used.
        pub async fn connect(
            _: &ClientConfig,
            _domain: impl AsRef<str>,
            stream: IO,
        ) -> std::result::Result<Self, (Error, ())> {
            encrypt(stream).await.map(TlsStream).map_err(|error| (error, ()))
        }

        /// The stream below.
        pub fn get_ref(&self) -> (&IO, ()) {
            (self.0.get_ref().get_ref().get_ref(), ())
        }

        /// The stream below.
        pub fn get_mut(&mut self) -> (&mut IO, ()) {
            (self.0.get_mut().get_mut().get_mut(), ())
        }
    }

    impl<IO: AsyncRead + AsyncWrite + Unpin> AsyncRead for TlsStream<IO> {
        fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &mut ReadBuf<'_>) -> Poll<Result<()>> {
            Pin::new(&mut self.0).poll_read(context, bytes)
        }
    }

    impl<IO: AsyncRead + AsyncWrite + Unpin> AsyncWrite for TlsStream<IO> {
        fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<Result<usize>> {
            Pin::new(&mut self.0).poll_write(context, bytes)
        }

        fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
            Pin::new(&mut self.0).poll_flush(context)
        }

        fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
            Pin::new(&mut self.0).poll_shutdown(context)
        }
    }
}
