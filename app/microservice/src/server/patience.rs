//! A stream that gives up when its peer does nothing for too long.
//!
//! hyper 0.14 limits the time to read a head, and nothing else: a connection whose client stops
//! reading an answer would stay open for ever, and one that is idle between requests until something
//! wakes it.

use std::future::Future;
use std::io::{Error, ErrorKind, Result};
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{sleep, Instant, Sleep};

/// A stream with a limit on the time in which no byte moves in either direction.
///
/// It looks now and then whether anything has moved, instead of noting the time of each move: a guest
/// pays for the time with a call to its engine.
#[derive(Debug)]
pub struct Patient<Stream, Limit> {
    stream: Stream,
    limit: Limit,
    look_every: Duration,
    next_look: Pin<Box<Sleep>>,
    /// Whether a byte has moved since the last look.
    has_moved: bool,
    /// The time between looks that found no byte moved.
    idle: Duration,
}

impl<Stream, Limit: Fn() -> Duration> Patient<Stream, Limit> {
    /// Waits for the peer no longer than the limit of that moment and one look more. The limit must
    /// exceed the time in which requests are answered, during which the peer has nothing to do.
    pub fn new(stream: Stream, limit: Limit, look_every: Duration) -> Patient<Stream, Limit> {
        Patient {
            stream,
            limit,
            look_every,
            next_look: Box::pin(sleep(look_every)),
            has_moved: false,
            idle: Duration::ZERO,
        }
    }

    /// Notes progress, or looks whether there has been none for too long.
    fn judge<T>(&mut self, polled: Poll<Result<T>>, context: &mut Context<'_>) -> Poll<Result<T>> {
        if polled.is_ready() {
            self.has_moved = true;
            return polled;
        }
        while self.next_look.as_mut().poll(context).is_ready() {
            self.idle = match mem::take(&mut self.has_moved) {
                true => Duration::ZERO,
                false => self.idle + self.look_every,
            };
            if self.idle >= (self.limit)() {
                return Poll::Ready(Err(Error::from(ErrorKind::TimedOut)));
            }
            let next_look = Instant::now() + self.look_every;
            self.next_look.as_mut().reset(next_look);
        }
        Poll::Pending
    }
}

impl<Stream: AsyncRead + Unpin, Limit: Fn() -> Duration + Unpin> AsyncRead for Patient<Stream, Limit> {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<Result<()>> {
        let polled = Pin::new(&mut self.stream).poll_read(context, buffer);
        self.judge(polled, context)
    }
}

impl<Stream: AsyncWrite + Unpin, Limit: Fn() -> Duration + Unpin> AsyncWrite for Patient<Stream, Limit> {
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
