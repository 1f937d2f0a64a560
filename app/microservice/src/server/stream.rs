//! The stream of a connection, and the one timer by which its peer is judged.

use std::future::{poll_fn, Future};
use std::io::{Error, ErrorKind, Result};
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::body::Bytes;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{sleep, Instant, Sleep};

/// How often a peer for which we wait is looked at, instead of noting the time of each byte: a guest pays for the time
/// with a call to its engine. All limits are exceeded by up to this.
const LOOK: Duration = Duration::from_millis(500);

/// The most bytes that are received at once. They come to the stack first, so that a connection without a request holds
/// no memory for one.
const PIECE: usize = 8 * 1024;

/// A stream whose peer is waited for within limits.
#[derive(Debug)]
pub struct Stream<S> {
    socket: S,
    /// What has been received and not been used.
    received: Vec<u8>,
    /// How much of it has been used.
    used: usize,
    timer: Pin<Box<Sleep>>,
    /// Looks that found us waiting since the clock was started.
    looks: u32,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Stream<S> {
    /// A stream from which nothing has been received.
    pub fn new(socket: S) -> Stream<S> {
        Stream {
            socket,
            received: Vec::new(),
            used: 0,
            timer: Box::pin(sleep(LOOK)),
            looks: 0,
        }
    }

    /// Counts the time for which we wait from now on.
    pub fn start_clock(&mut self) {
        self.looks = 0;
    }

    /// What has been received and not been used.
    pub fn received(&self) -> &[u8] {
        self.received.get(self.used..).unwrap_or_default()
    }

    /// Marks bytes of what has been received as used.
    pub fn advance(&mut self, bytes: usize) {
        self.used = self.received.len().min(self.used.saturating_add(bytes));
        if self.used == self.received.len() {
            // Not cleared: a connection that waits should hold nothing.
            (self.received, self.used) = (Vec::new(), 0);
        }
    }

    /// Takes bytes out of what has been received.
    pub fn take(&mut self, bytes: usize) -> Bytes {
        let bytes = bytes.min(self.received().len());
        if self.used == 0 && bytes == self.received.len() {
            return std::mem::take(&mut self.received).into();
        }
        let taken = Bytes::copy_from_slice(self.received().get(..bytes).unwrap_or_default());
        self.advance(bytes);
        taken
    }

    /// Receives more: the number of bytes, 0 at the end. `is_late` says whether the peer has been waited for too long.
    pub async fn receive(&mut self, is_late: impl Fn(Duration) -> bool) -> Result<usize> {
        poll_fn(|context| {
            let mut space = [const { MaybeUninit::uninit() }; PIECE];
            let mut buffer = ReadBuf::uninit(&mut space);
            match Pin::new(&mut self.socket).poll_read(context, &mut buffer) {
                Poll::Ready(Ok(())) => {
                    let received = buffer.filled();
                    if self.used > 0 {
                        self.received.drain(..self.used);
                        self.used = 0;
                    }
                    // Exactly: what is held must be what is counted.
                    self.received.reserve_exact(received.len());
                    self.received.extend_from_slice(received);
                    Poll::Ready(Ok(received.len()))
                }
                Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
                Poll::Pending => self.poll_late(context, &is_late),
            }
        })
        .await
    }

    /// Sends all bytes. `is_late` says whether the peer has been waited for too long, by that time and by how many of
    /// these bytes it has taken.
    pub async fn send(&mut self, bytes: &[u8], is_late: impl Fn(Duration, usize) -> bool) -> Result<()> {
        let mut sent = 0;
        poll_fn(|context| {
            while let Some(rest) = bytes.get(sent..).filter(|rest| !rest.is_empty()) {
                match Pin::new(&mut self.socket).poll_write(context, rest) {
                    Poll::Ready(Ok(0)) => return Poll::Ready(Err(ErrorKind::WriteZero.into())),
                    Poll::Ready(Ok(count)) => sent += count,
                    Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                    Poll::Pending => return self.poll_late(context, |waited| is_late(waited, sent)),
                }
            }
            Poll::Ready(Ok(()))
        })
        .await
    }

    /// Says that nothing more will be sent.
    pub async fn finish(&mut self) -> Result<()> {
        poll_fn(|context| Pin::new(&mut self.socket).poll_shutdown(context)).await
    }

    fn poll_late<T>(&mut self, context: &mut Context<'_>, is_late: impl Fn(Duration) -> bool) -> Poll<Result<T>> {
        while self.timer.as_mut().poll(context).is_ready() {
            self.looks = self.looks.saturating_add(1);
            self.timer.as_mut().reset(Instant::now() + LOOK);
            if is_late(LOOK * self.looks) {
                return Poll::Ready(Err(Error::from(ErrorKind::TimedOut)));
            }
        }
        Poll::Pending
    }
}
