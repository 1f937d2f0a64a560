//! Reading request bodies within limits.

use std::io::ErrorKind;
use std::time::Duration;

use hyper::body::Bytes;
use tokio::io::{AsyncRead, AsyncWrite};

use super::chunks::{Chunks, Step};
use super::connections::Guest;
use super::head::{malformed, Head, Length};
use super::progress::Progress;
use super::stream::Stream;
use crate::http::{Code, Problem};
use crate::memory::{Exhausted, Memory, MemoryPermit};

/// The time in which a client must have sent its body.
const LIMIT: Duration = Duration::from_secs(10);

/// How much of a body that is not wanted is read and thrown away. A client that sends a little too much then gets to read
/// the answer, where closing the connection at once would make its system discard it:
/// <https://www.rfc-editor.org/rfc/rfc9112#section-9.6>.
pub const MAX_DISCARDED: usize = 16 * 1024 * 1024;

/// A body, and the memory it takes until it is dropped.
#[derive(Debug, Default)]
pub struct Body {
    /// The bytes.
    pub bytes: Bytes,
    /// Their memory.
    pub share: MemoryPermit,
}

/// What came of reading a body.
#[derive(Debug)]
pub struct Received {
    /// The body, or why there is none.
    pub body: Result<Body, Problem>,
    /// Whether it was read to its end, so that another request may follow.
    pub is_complete: bool,
}

impl Received {
    fn unfinished(problem: Problem) -> Received {
        Received {
            body: Err(problem),
            is_complete: false,
        }
    }
}

/// Reads a whole body of at most `most` bytes.
pub async fn read_body<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut Stream<S>,
    head: &Head,
    most: usize,
    memory: &Memory,
    guest: &Guest,
) -> Received {
    let announced = match head.length {
        Length::Known(0) => {
            return Received {
                body: Ok(Body::default()),
                is_complete: true,
            }
        }
        Length::Known(length) => Some(usize::try_from(length).unwrap_or(usize::MAX)),
        Length::Chunked => None,
    };
    let is_waiting = head.expects_continue && stream.received().is_empty();
    let acceptable = if is_waiting { most } else { MAX_DISCARDED };
    if announced.is_some_and(|length| length > acceptable) {
        return Received::unfinished(too_large(most));
    }
    stream.start_clock();
    let is_late = |waited: Duration| waited >= LIMIT;
    if is_waiting {
        let told = stream.send(b"HTTP/1.1 100 Continue\r\n\r\n", |waited, _| is_late(waited));
        if told.await.is_err() {
            return Received::unfinished(broken_off());
        }
    }
    // All in one packet with its head, as most are: nothing is copied.
    if let Some(length) = announced.filter(|length| *length <= most && *length <= stream.received().len()) {
        let mut share = MemoryPermit::default();
        let body = match memory.for_body(length, &mut share) {
            Ok(()) => Ok(Body {
                bytes: stream.take(length),
                share,
            }),
            Err(exhausted) => {
                stream.advance(length);
                Err(exhausted.into())
            }
        };
        return Received {
            body,
            is_complete: true,
        };
    }
    let mut collected = Collected {
        bytes: Vec::new(),
        share: MemoryPermit::default(),
        most: announced.unwrap_or(most).min(most),
        refusal: announced.filter(|length| *length > most).map(|_| too_large(most)),
    };
    let mut form = Form::new(head.length);
    let mut received = 0;
    let mut progress = Progress::new(guest);
    loop {
        match form.next(stream.received()) {
            Ok(Step::Data(skip, length)) => {
                let data = stream.received().get(skip..skip + length).unwrap_or_default();
                collected.add(data, most, memory);
                progress.takes_memory(&collected.share);
                stream.advance(skip + length);
            }
            Ok(Step::End(form)) => {
                stream.advance(form);
                return collected.finish();
            }
            Ok(Step::More(form)) => {
                stream.advance(form);
                if received > MAX_DISCARDED {
                    return Received::unfinished(collected.refusal.unwrap_or_else(|| too_large(most)));
                }
                let is_late = |waited| progress.look(waited, received) || is_late(waited);
                match stream.receive(is_late).await {
                    Ok(0) => return Received::unfinished(broken_off()),
                    Ok(bytes) => received += bytes,
                    Err(error) if error.kind() == ErrorKind::TimedOut => {
                        let message = "the request took too long to arrive";
                        let late = match progress.must_end() {
                            true => Exhausted.into(),
                            false => Problem::new(Code::REQUEST_TIMEOUT, message),
                        };
                        return Received::unfinished(collected.refusal.unwrap_or(late));
                    }
                    Err(_) => return Received::unfinished(broken_off()),
                }
            }
            Err(_) => return Received::unfinished(malformed("a wrong chunk in its body")),
        }
    }
}

/// How the end of a body is found.
enum Form {
    Left(u64),
    Chunks(Chunks),
}

impl Form {
    fn new(length: Length) -> Form {
        match length {
            Length::Known(length) => Form::Left(length),
            Length::Chunked => Form::Chunks(Chunks::default()),
        }
    }

    fn next(&mut self, bytes: &[u8]) -> Result<Step, super::chunks::Broken> {
        match self {
            Form::Chunks(chunks) => chunks.next(bytes),
            Form::Left(0) => Ok(Step::End(0)),
            Form::Left(_) if bytes.is_empty() => Ok(Step::More(0)),
            Form::Left(left) => {
                let length = usize::try_from(*left).unwrap_or(usize::MAX).min(bytes.len());
                *left -= length as u64;
                Ok(Step::Data(0, length))
            }
        }
    }
}

/// A body that grows.
struct Collected {
    bytes: Vec<u8>,
    share: MemoryPermit,
    /// The most bytes that it can become.
    most: usize,
    /// Why it is read and thrown away.
    refusal: Option<Problem>,
}

impl Collected {
    fn add(&mut self, data: &[u8], most: usize, memory: &Memory) {
        if self.refusal.is_none() {
            let fits = self.bytes.len() + data.len() <= self.most;
            let room = match fits {
                true => self.make_room(data.len(), memory),
                false => Err(too_large(most)),
            };
            match room {
                Ok(()) => self.bytes.extend_from_slice(data),
                Err(problem) => {
                    (self.bytes, self.share) = Default::default();
                    self.refusal = Some(problem);
                }
            }
        }
    }

    /// What is there is copied when it grows: both are counted while both are there.
    fn make_room(&mut self, more: usize, memory: &Memory) -> Result<(), Problem> {
        let (length, capacity) = (self.bytes.len(), self.bytes.capacity());
        if length + more > capacity {
            let next = (length + more).max(capacity.saturating_mul(2)).min(self.most);
            memory.for_body(capacity + next, &mut self.share)?;
            self.bytes.reserve_exact(next - length);
            self.share.shrink(next);
        }
        Ok(())
    }

    fn finish(mut self) -> Received {
        self.bytes.shrink_to_fit();
        self.share.shrink(self.bytes.len());
        let body = match self.refusal {
            Some(problem) => Err(problem),
            None => Ok(Body {
                bytes: self.bytes.into(),
                share: self.share,
            }),
        };
        Received {
            body,
            is_complete: true,
        }
    }
}

fn too_large(most: usize) -> Problem {
    Problem::new(
        Code::TOO_LARGE,
        format!("the body is larger than the {most} bytes that this path takes"),
    )
}

fn broken_off() -> Problem {
    Problem::new(Code::BAD_REQUEST, "the body broke off before its end")
}
