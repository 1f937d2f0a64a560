//! A stream that gives up when its peer does nothing for too long.
//!
//! hyper 0.14 limits the time to read a head once its first byte is there, and nothing else: a
//! connection that stays idle between requests, or whose client stops reading an answer, would
//! stay open for ever.

use std::future::Future;
use std::io::{Error, ErrorKind, Result};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{sleep, Instant, Sleep};

/// A stream with a limit on the time in which no byte moves in either direction.
#[derive(Debug)]
pub struct Patient<Stream> {
    stream: Stream,
    limit: Duration,
    last_progress: Instant,
    /// May fire early, since progress does not set it anew; the true deadline is computed then.
    alarm: Pin<Box<Sleep>>,
}

impl<Stream> Patient<Stream> {
    /// Waits at most this long for the peer. The limit must exceed the time in which requests are
    /// answered, during which the peer has nothing to do.
    pub fn new(stream: Stream, limit: Duration) -> Patient<Stream> {
        Patient {
            stream,
            limit,
            last_progress: Instant::now(),
            alarm: Box::pin(sleep(limit)),
        }
    }

    /// Notes progress, or looks whether there has been none for too long.
    fn judge<T>(&mut self, polled: Poll<Result<T>>, context: &mut Context<'_>) -> Poll<Result<T>> {
        if polled.is_ready() {
            self.last_progress = Instant::now();
            return polled;
        }
        while self.alarm.as_mut().poll(context).is_ready() {
            let deadline = self.last_progress + self.limit;
            if deadline <= Instant::now() {
                return Poll::Ready(Err(Error::from(ErrorKind::TimedOut)));
            }
            self.alarm.as_mut().reset(deadline);
        }
        Poll::Pending
    }
}

impl<Stream: AsyncRead + Unpin> AsyncRead for Patient<Stream> {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<Result<()>> {
        let polled = Pin::new(&mut self.stream).poll_read(context, buffer);
        self.judge(polled, context)
    }
}

impl<Stream: AsyncWrite + Unpin> AsyncWrite for Patient<Stream> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.judge(polled, context)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
