//! The byte stream of a connection, with the timer that enforces its time limits.

use std::future::{poll_fn, Future};
use std::io::{Error, ErrorKind, Result};
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::body::Bytes;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{sleep, Instant, Sleep};

/// How often the time limits are checked while the server waits for the peer. The time of each read and write is not
/// recorded, because in a guest each call for the time is a host call. Limits may be exceeded by up to this interval.
const CHECK_INTERVAL: Duration = Duration::from_millis(500);

/// The most bytes that one read receives. The read buffer is on the stack, so that an idle connection needs none on the
/// heap.
const RECEIVE_BYTES: usize = 8 * 1024;

/// A stream with time limits.
#[derive(Debug)]
pub struct Stream<S> {
    socket: S,
    /// Received bytes; those before `consumed` have been consumed.
    received: Vec<u8>,
    consumed: usize,
    timer: Pin<Box<Sleep>>,
    /// How often the timer has fired since it was reset.
    checks: u32,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Stream<S> {
    /// A stream on this socket.
    pub fn new(socket: S) -> Stream<S> {
        Stream {
            socket,
            received: Vec::new(),
            consumed: 0,
            timer: Box::pin(sleep(CHECK_INTERVAL)),
            checks: 0,
        }
    }

    /// Starts to count the time that the server waits for the peer.
    pub fn reset_timer(&mut self) {
        self.checks = 0;
    }

    /// The bytes that have been received and not consumed.
    pub fn received(&self) -> &[u8] {
        self.received.get(self.consumed..).unwrap_or_default()
    }

    /// Marks received bytes as consumed.
    pub fn advance(&mut self, bytes: usize) {
        self.consumed = self.received.len().min(self.consumed.saturating_add(bytes));
        if self.consumed == self.received.len() {
            // Replaced instead of cleared, to free the memory of an idle connection.
            (self.received, self.consumed) = (Vec::new(), 0);
        }
    }

    /// Consumes and returns received bytes.
    pub fn take(&mut self, bytes: usize) -> Bytes {
        let bytes = bytes.min(self.received().len());
        if self.consumed == 0 && bytes == self.received.len() {
            return std::mem::take(&mut self.received).into();
        }
        let taken = Bytes::copy_from_slice(self.received().get(..bytes).unwrap_or_default());
        self.advance(bytes);
        taken
    }

    /// Receives more bytes, and returns their number; 0 at the end of the stream. `is_timed_out` gets the time that the
    /// server has waited for the peer.
    pub async fn receive(&mut self, is_timed_out: impl Fn(Duration) -> bool) -> Result<usize> {
        poll_fn(|context| {
            let mut space = [const { MaybeUninit::uninit() }; RECEIVE_BYTES];
            let mut buffer = ReadBuf::uninit(&mut space);
            match Pin::new(&mut self.socket).poll_read(context, &mut buffer) {
                Poll::Ready(Ok(())) => {
                    let received = buffer.filled();
                    if self.consumed > 0 {
                        self.received.drain(..self.consumed);
                        self.consumed = 0;
                    }
                    // Exactly this many, because the memory permit counts them.
                    self.received.reserve_exact(received.len());
                    self.received.extend_from_slice(received);
                    Poll::Ready(Ok(received.len()))
                }
                Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
                Poll::Pending => self.poll_timeout(context, &is_timed_out),
            }
        })
        .await
    }

    /// Sends all bytes. `is_timed_out` gets the time that the server has waited for the peer, and the number of these
    /// bytes that have been sent.
    pub async fn send(&mut self, bytes: &[u8], is_timed_out: impl Fn(Duration, usize) -> bool) -> Result<()> {
        let mut sent = 0;
        poll_fn(|context| {
            while let Some(rest) = bytes.get(sent..).filter(|rest| !rest.is_empty()) {
                match Pin::new(&mut self.socket).poll_write(context, rest) {
                    Poll::Ready(Ok(0)) => return Poll::Ready(Err(ErrorKind::WriteZero.into())),
                    Poll::Ready(Ok(count)) => sent += count,
                    Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                    Poll::Pending => return self.poll_timeout(context, |waited| is_timed_out(waited, sent)),
                }
            }
            Poll::Ready(Ok(()))
        })
        .await
    }

    /// Shuts down the sending side.
    pub async fn shut_down(&mut self) -> Result<()> {
        poll_fn(|context| Pin::new(&mut self.socket).poll_shutdown(context)).await
    }

    fn poll_timeout<T>(
        &mut self,
        context: &mut Context<'_>,
        is_timed_out: impl Fn(Duration) -> bool,
    ) -> Poll<Result<T>> {
        while self.timer.as_mut().poll(context).is_ready() {
            self.checks = self.checks.saturating_add(1);
            self.timer.as_mut().reset(Instant::now() + CHECK_INTERVAL);
            if is_timed_out(CHECK_INTERVAL * self.checks) {
                return Poll::Ready(Err(Error::from(ErrorKind::TimedOut)));
            }
        }
        Poll::Pending
    }
}
