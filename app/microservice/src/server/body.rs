//! Reads request bodies, with limits on time, size and memory.

use std::io::ErrorKind;
use std::time::Duration;

use hyper::body::Bytes;
use tokio::io::{AsyncRead, AsyncWrite};

use super::chunks::{ChunkDecoder, Step};
use super::connections::ConnectionPermit;
use super::head::{BodyLength, Head};
use super::malformed::malformed;
use super::progress::Progress;
use super::stream::Stream;
use crate::http::{Code, Problem};
use crate::memory::{Exhausted, Memory, MemoryPermit};

/// The time to send a body.
const BODY_TIMEOUT: Duration = Duration::from_secs(10);

/// How many bytes of a rejected body are read and discarded. A client that sends a little too much can then read the
/// response. If the connection were closed at once, it would be reset, and the client's system might discard the
/// response: <https://www.rfc-editor.org/rfc/rfc9112#section-9.6>.
pub const MAX_DISCARDED_BYTES: usize = 16 * 1024 * 1024;

/// A body, with its memory permit.
#[derive(Debug, Default)]
pub struct Body {
    /// All of its bytes, without the framing of chunks.
    pub bytes: Bytes,
    /// The permit for their memory.
    pub permit: MemoryPermit,
}

/// The outcome of reading a body.
#[derive(Debug)]
pub struct ReadOutcome {
    /// The body, or why it was rejected.
    pub body: Result<Body, Problem>,
    /// Whether it was read to its end, so that another request may follow.
    pub is_complete: bool,
}

impl ReadOutcome {
    fn incomplete(problem: Problem) -> ReadOutcome {
        ReadOutcome {
            body: Err(problem),
            is_complete: false,
        }
    }
}

/// Reads a whole body of at most `limit` bytes.
pub async fn read_body<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut Stream<S>,
    head: &Head,
    limit: usize,
    memory: &Memory,
    connection: &ConnectionPermit,
) -> ReadOutcome {
    let announced = match head.length {
        BodyLength::Known(0) => {
            return ReadOutcome {
                body: Ok(Body::default()),
                is_complete: true,
            }
        }
        BodyLength::Known(length) => Some(usize::try_from(length).unwrap_or(usize::MAX)),
        BodyLength::Chunked => None,
    };
    let is_waiting = head.expects_continue && stream.received().is_empty();
    let max_length = if is_waiting { limit } else { MAX_DISCARDED_BYTES };
    if announced.is_some_and(|length| length > max_length) {
        return ReadOutcome::incomplete(too_large_error(limit));
    }
    stream.reset_timer();
    if is_waiting {
        let sent = stream.send(b"HTTP/1.1 100 Continue\r\n\r\n", |waited, _| waited >= BODY_TIMEOUT);
        if sent.await.is_err() {
            return ReadOutcome::incomplete(broken_off_error());
        }
    }
    match announced.filter(|length| *length <= limit && *length <= stream.received().len()) {
        Some(length) => take_body(stream, length, memory),
        None => {
            let reader = BodyReader {
                framing: Framing::new(head.length),
                buffer: BodyBuffer::new(announced, limit),
                limit,
                memory,
                progress: Progress::new(connection),
                received: 0,
            };
            reader.read(stream).await
        }
    }
}

/// Takes a body that was received together with its head, as most are: nothing is copied.
fn take_body<S: AsyncRead + AsyncWrite + Unpin>(stream: &mut Stream<S>, length: usize, memory: &Memory) -> ReadOutcome {
    let mut permit = MemoryPermit::default();
    let body = match memory.reserve_body(length, &mut permit) {
        Ok(()) => Ok(Body {
            bytes: stream.take(length),
            permit,
        }),
        Err(exhausted) => {
            stream.advance(length);
            Err(exhausted.into())
        }
    };
    ReadOutcome {
        body,
        is_complete: true,
    }
}

/// Reads a body that is received in parts.
struct BodyReader<'request> {
    framing: Framing,
    buffer: BodyBuffer,
    /// The most bytes that the path takes.
    limit: usize,
    memory: &'request Memory,
    progress: Progress<'request>,
    /// How many bytes have been received since the reader began.
    received: usize,
}

impl BodyReader<'_> {
    async fn read<S: AsyncRead + AsyncWrite + Unpin>(mut self, stream: &mut Stream<S>) -> ReadOutcome {
        match self.read_to_end(stream).await {
            Ok(()) => self.buffer.finish(),
            Err(problem) => ReadOutcome::incomplete(problem),
        }
    }

    /// Reads up to the end of the body, also if it is rejected. The error is why its end was not reached.
    async fn read_to_end<S: AsyncRead + AsyncWrite + Unpin>(&mut self, stream: &mut Stream<S>) -> Result<(), Problem> {
        loop {
            let step = self.framing.next(stream.received());
            match step.map_err(|_| malformed("a wrong chunk in its body"))? {
                Step::Data(framing_bytes, length) => {
                    let data = stream.received().get(framing_bytes..framing_bytes + length);
                    self.buffer.add(data.unwrap_or_default(), self.limit, self.memory);
                    self.progress.track_memory(&self.buffer.permit);
                    stream.advance(framing_bytes + length);
                }
                Step::End(bytes) => {
                    stream.advance(bytes);
                    return Ok(());
                }
                Step::More(bytes) => {
                    stream.advance(bytes);
                    self.receive_more(stream).await?;
                }
            }
        }
    }

    /// Waits until more bytes are received, with limits on their number and the time.
    async fn receive_more<S: AsyncRead + AsyncWrite + Unpin>(&mut self, stream: &mut Stream<S>) -> Result<(), Problem> {
        if self.received > MAX_DISCARDED_BYTES {
            let rejection = self.buffer.rejection.take();
            return Err(rejection.unwrap_or_else(|| too_large_error(self.limit)));
        }
        let (progress, received) = (&self.progress, self.received);
        let is_timed_out = |waited| progress.update(waited, received) || waited >= BODY_TIMEOUT;
        match stream.receive(is_timed_out).await {
            Ok(0) => Err(broken_off_error()),
            Ok(bytes) => {
                self.received += bytes;
                Ok(())
            }
            Err(error) if error.kind() == ErrorKind::TimedOut => {
                let rejection = self.buffer.rejection.take();
                Err(rejection.unwrap_or_else(|| timeout_error(&self.progress)))
            }
            Err(_) => Err(broken_off_error()),
        }
    }
}

/// Finds the end of a body.
enum Framing {
    Remaining(u64),
    Chunked(ChunkDecoder),
}

impl Framing {
    fn new(length: BodyLength) -> Framing {
        match length {
            BodyLength::Known(length) => Framing::Remaining(length),
            BodyLength::Chunked => Framing::Chunked(ChunkDecoder::default()),
        }
    }

    fn next(&mut self, bytes: &[u8]) -> Result<Step, super::chunks::InvalidChunk> {
        match self {
            Framing::Chunked(decoder) => decoder.next(bytes),
            Framing::Remaining(0) => Ok(Step::End(0)),
            Framing::Remaining(_) if bytes.is_empty() => Ok(Step::More(0)),
            Framing::Remaining(remaining) => {
                let length = usize::try_from(*remaining).unwrap_or(usize::MAX).min(bytes.len());
                *remaining -= length as u64;
                Ok(Step::Data(0, length))
            }
        }
    }
}

/// A body that is received in parts.
struct BodyBuffer {
    bytes: Vec<u8>,
    permit: MemoryPermit,
    /// The most bytes that it can have.
    limit: usize,
    /// Why the body is rejected, and what is received is discarded.
    rejection: Option<Problem>,
}

impl BodyBuffer {
    /// The buffer of a body that announces this length, if it announces one. It is rejected if that is above the limit.
    fn new(announced: Option<usize>, limit: usize) -> BodyBuffer {
        BodyBuffer {
            bytes: Vec::new(),
            permit: MemoryPermit::default(),
            limit: announced.unwrap_or(limit).min(limit),
            rejection: announced
                .filter(|length| *length > limit)
                .map(|_| too_large_error(limit)),
        }
    }

    fn add(&mut self, data: &[u8], limit: usize, memory: &Memory) {
        if self.rejection.is_none() {
            let fits = self.bytes.len() + data.len() <= self.limit;
            let room = if fits {
                self.make_room(data.len(), memory)
            } else {
                Err(too_large_error(limit))
            };
            match room {
                Ok(()) => self.bytes.extend_from_slice(data),
                Err(problem) => {
                    (self.bytes, self.permit) = Default::default();
                    self.rejection = Some(problem);
                }
            }
        }
    }

    /// Growing copies the bytes: while both copies exist, the permit counts both.
    fn make_room(&mut self, more: usize, memory: &Memory) -> Result<(), Problem> {
        let (length, capacity) = (self.bytes.len(), self.bytes.capacity());
        if length + more > capacity {
            let next = (length + more).max(capacity.saturating_mul(2)).min(self.limit);
            memory.reserve_body(capacity + next, &mut self.permit)?;
            self.bytes.reserve_exact(next - length);
            self.permit.shrink(next);
        }
        Ok(())
    }

    fn finish(mut self) -> ReadOutcome {
        self.bytes.shrink_to_fit();
        self.permit.shrink(self.bytes.len());
        let body = match self.rejection {
            Some(problem) => Err(problem),
            None => Ok(Body {
                bytes: self.bytes.into(),
                permit: self.permit,
            }),
        };
        ReadOutcome {
            body,
            is_complete: true,
        }
    }
}

fn too_large_error(limit: usize) -> Problem {
    Problem::new(
        Code::TOO_LARGE,
        format!("the body is larger than the {limit} bytes that this path takes"),
    )
}

fn timeout_error(progress: &Progress<'_>) -> Problem {
    if progress.must_abort() {
        Exhausted.into()
    } else {
        Problem::new(Code::REQUEST_TIMEOUT, "the request took too long to arrive")
    }
}

fn broken_off_error() -> Problem {
    Problem::new(Code::BAD_REQUEST, "the body broke off before its end")
}
