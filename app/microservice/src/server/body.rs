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
    /// The bytes.
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
    let is_timed_out = |waited: Duration| waited >= BODY_TIMEOUT;
    if is_waiting {
        let sent = stream.send(b"HTTP/1.1 100 Continue\r\n\r\n", |waited, _| is_timed_out(waited));
        if sent.await.is_err() {
            return ReadOutcome::incomplete(broken_off_error());
        }
    }
    // Most bodies are received together with their heads: then nothing is copied.
    if let Some(length) = announced.filter(|length| *length <= limit && *length <= stream.received().len()) {
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
        return ReadOutcome {
            body,
            is_complete: true,
        };
    }
    let mut buffer = BodyBuffer {
        bytes: Vec::new(),
        permit: MemoryPermit::default(),
        limit: announced.unwrap_or(limit).min(limit),
        rejection: announced
            .filter(|length| *length > limit)
            .map(|_| too_large_error(limit)),
    };
    let mut framing = Framing::new(head.length);
    let mut received = 0;
    let mut progress = Progress::new(connection);
    loop {
        match framing.next(stream.received()) {
            Ok(Step::Data(framing_bytes, length)) => {
                let data = stream
                    .received()
                    .get(framing_bytes..framing_bytes + length)
                    .unwrap_or_default();
                buffer.add(data, limit, memory);
                progress.track_memory(&buffer.permit);
                stream.advance(framing_bytes + length);
            }
            Ok(Step::End(bytes)) => {
                stream.advance(bytes);
                return buffer.finish();
            }
            Ok(Step::More(bytes)) => {
                stream.advance(bytes);
                if received > MAX_DISCARDED_BYTES {
                    return ReadOutcome::incomplete(buffer.rejection.unwrap_or_else(|| too_large_error(limit)));
                }
                let is_timed_out = |waited| progress.update(waited, received) || is_timed_out(waited);
                match stream.receive(is_timed_out).await {
                    Ok(0) => return ReadOutcome::incomplete(broken_off_error()),
                    Ok(bytes) => received += bytes,
                    Err(error) if error.kind() == ErrorKind::TimedOut => {
                        let message = "the request took too long to arrive";
                        let timeout_error = if progress.must_abort() {
                            Exhausted.into()
                        } else {
                            Problem::new(Code::REQUEST_TIMEOUT, message)
                        };
                        return ReadOutcome::incomplete(buffer.rejection.unwrap_or(timeout_error));
                    }
                    Err(_) => return ReadOutcome::incomplete(broken_off_error()),
                }
            }
            Err(_) => return ReadOutcome::incomplete(malformed("a wrong chunk in its body")),
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

fn broken_off_error() -> Problem {
    Problem::new(Code::BAD_REQUEST, "the body broke off before its end")
}
