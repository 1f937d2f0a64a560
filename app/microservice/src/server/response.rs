//! Writes responses.

use std::io::{Result, Write};
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use hyper::body::Bytes;
use hyper::StatusCode;
use tokio::io::{AsyncRead, AsyncWrite};

use super::connections::ConnectionPermit;
use super::progress::Progress;
use super::stream::Stream;
use crate::http::{Content, Response};
use crate::memory::{Exhausted, Memory, MemoryPermit, PeerPermit};

/// The minimum rate is enforced after this time, as in Kestrel:
/// <https://learn.microsoft.com/aspnet/core/fundamentals/servers/kestrel/options#minimum-request-body-data-rate>.
const GRACE_PERIOD: Duration = Duration::from_secs(5);
/// The minimum rate at which a client must read a response.
const MIN_BYTES_PER_SECOND: usize = 16 * 1024;

/// The head is written together with the beginning of the body, so that a small response is one packet. Without
/// TCP_NODELAY, which a guest's sockets lack, a second packet waits for the acknowledgement of the first (Nagle's
/// algorithm), which may be delayed by 40 ms.
const FIRST_WRITE_BYTES: usize = 16 * 1024;

/// A body that is ready to be sent, with its memory permits.
#[derive(Debug, Default)]
pub struct OutgoingBody {
    pieces: Vec<Bytes>,
    length: usize,
    permit: MemoryPermit,
    _peer: PeerPermit,
}

impl OutgoingBody {
    /// Acquires memory for a body, unless that was done while it was built.
    pub fn new(
        content: Content,
        memory: &Memory,
        peer: Option<IpAddr>,
    ) -> std::result::Result<OutgoingBody, Exhausted> {
        let length = content.len();
        let (pieces, permit, peer) = match content {
            Content::Fixed(text) => (
                vec![Bytes::from_static(text.as_bytes())],
                MemoryPermit::default(),
                PeerPermit::default(),
            ),
            Content::Whole(bytes) => (
                vec![bytes],
                memory.reserve_response(length)?,
                memory.reserve_for_peer(peer, length)?,
            ),
            Content::Pieces(buffer) => {
                let peer = memory.reserve_for_peer(peer, length)?;
                let (pieces, permit) = buffer.into_pieces();
                (pieces, permit, peer)
            }
        };
        Ok(OutgoingBody {
            pieces,
            length,
            permit,
            _peer: peer,
        })
    }
}

/// How a response is written.
#[derive(Clone, Copy, Debug)]
pub struct ResponseOptions {
    /// Whether the request method was HEAD.
    pub omits_body: bool,
    /// Whether the connection stays open.
    pub keeps_alive: bool,
    /// Whether the client uses HTTP/1.0, and needs `Connection: keep-alive`.
    pub is_http_10: bool,
    /// The current time, for the `Date` header.
    pub now: Instant,
}

/// Sends a response, the body of which has been taken out.
pub async fn send_response<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut Stream<S>,
    response: &Response,
    mut body: OutgoingBody,
    options: ResponseOptions,
    connection: &ConnectionPermit,
) -> Result<()> {
    let mut first = encode_head(response, body.length, options);
    if options.omits_body || response.status == StatusCode::NO_CONTENT {
        body = OutgoingBody::default();
    }
    stream.reset_timer();
    for piece in &mut body.pieces {
        let room = FIRST_WRITE_BYTES.saturating_sub(first.len());
        let start = piece.split_to(piece.len().min(room));
        first.extend_from_slice(&start);
    }
    let mut progress = Progress::new(connection);
    progress.track_memory(&body.permit);
    let is_late = |waited: Duration, sent: usize| {
        let is_slow = waited > GRACE_PERIOD && sent / MIN_BYTES_PER_SECOND < (waited - GRACE_PERIOD).as_secs() as usize;
        progress.update(waited, sent) || is_slow
    };
    stream.send(&first, is_late).await?;
    let mut sent = first.len();
    drop(first);
    for piece in body.pieces.iter().filter(|piece| !piece.is_empty()) {
        stream.send(piece, |waited, now| is_late(waited, sent + now)).await?;
        sent += piece.len();
    }
    Ok(())
}

/// <https://www.rfc-editor.org/rfc/rfc9110#section-8.6>: no Content-Length with 204.
fn encode_head(response: &Response, length: usize, options: ResponseOptions) -> Vec<u8> {
    let mut head = Vec::with_capacity(512 + length.min(FIRST_WRITE_BYTES));
    let status = response.status;
    // Writing to a vector cannot fail.
    let _ = write!(
        head,
        "HTTP/1.1 {} {}\r\n",
        status.as_str(),
        status.canonical_reason().unwrap_or_default()
    );
    for (name, value) in &response.headers {
        head.extend_from_slice(name.as_str().as_bytes());
        head.extend_from_slice(b": ");
        head.extend_from_slice(value.as_bytes());
        head.extend_from_slice(b"\r\n");
    }
    if status != StatusCode::NO_CONTENT {
        let _ = write!(head, "content-length: {length}\r\n");
    }
    match (options.keeps_alive, options.is_http_10) {
        (false, _) => head.extend_from_slice(b"connection: close\r\n"),
        (true, true) => head.extend_from_slice(b"connection: keep-alive\r\n"),
        (true, false) => {}
    }
    write_date(&mut head, options.now);
    head.extend_from_slice(b"\r\n");
    head
}

/// Formats the date at most once per second.
fn write_date(head: &mut Vec<u8>, now: Instant) {
    static DATE: Mutex<Option<(Instant, String)>> = Mutex::new(None);
    let mut date = DATE.lock().unwrap_or_else(PoisonError::into_inner);
    let is_old = |since: &Instant| now.saturating_duration_since(*since) >= Duration::from_secs(1);
    if date.as_ref().is_none_or(|(since, _)| is_old(since)) {
        *date = Some((now, httpdate::fmt_http_date(SystemTime::now())));
    }
    if let Some((_, text)) = &*date {
        head.extend_from_slice(b"date: ");
        head.extend_from_slice(text.as_bytes());
        head.extend_from_slice(b"\r\n");
    }
}
