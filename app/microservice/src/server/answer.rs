//! Answers on the wire.

use std::io::{Result, Write};
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use hyper::body::Bytes;
use hyper::StatusCode;
use tokio::io::{AsyncRead, AsyncWrite};

use super::connections::Guest;
use super::progress::Progress;
use super::stream::Stream;
use crate::http::{Content, Response};
use crate::memory::{Exhausted, Memory, MemoryPermit, PeerShare};

/// A reader has this time before its rate counts, as in Kestrel:
/// <https://learn.microsoft.com/aspnet/core/fundamentals/servers/kestrel/options#minimum-request-body-data-rate>.
const GRACE: Duration = Duration::from_secs(5);
/// The least rate at which an answer must be read, in bytes a second.
const LEAST_RATE: usize = 16 * 1024;

/// The head of a small answer and its body leave in one packet. A guest's sockets would hold back a second one until the
/// first is acknowledged, which systems put off for 40 ms on a connection that is kept.
const FIRST_PACKET: usize = 16 * 1024;

/// A body that is ready to be sent, and the memory that it takes until it has been.
#[derive(Debug, Default)]
pub struct Body {
    pieces: Vec<Bytes>,
    length: usize,
    share: MemoryPermit,
    _peer: PeerShare,
}

impl Body {
    /// Counts a body, unless it has been counted while it was made.
    pub fn new(content: Content, memory: &Memory, peer: Option<IpAddr>) -> std::result::Result<Body, Exhausted> {
        let length = content.len();
        let (pieces, share, peer) = match content {
            Content::Fixed(text) => (
                vec![Bytes::from_static(text.as_bytes())],
                MemoryPermit::default(),
                PeerShare::default(),
            ),
            Content::Whole(bytes) => (vec![bytes], memory.for_answer(length)?, memory.for_peer(peer, length)?),
            Content::Pieces(buffer) => {
                let peer = memory.for_peer(peer, length)?;
                let (pieces, share) = buffer.into_pieces();
                (pieces, share, peer)
            }
        };
        Ok(Body {
            pieces,
            length,
            share,
            _peer: peer,
        })
    }
}

/// What an answer depends on beside its response.
#[derive(Clone, Copy, Debug)]
pub struct Manner {
    /// Whether the request was a HEAD.
    pub without_body: bool,
    /// Whether the connection is kept.
    pub keeps_alive: bool,
    /// Whether the client must be told that it is.
    pub is_http_10: bool,
    /// When the answer was ready.
    pub now: Instant,
}

/// Sends an answer whose body has been taken out of the response.
pub async fn send<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut Stream<S>,
    response: &Response,
    mut body: Body,
    manner: Manner,
    guest: &Guest,
) -> Result<()> {
    let mut first = head(response, body.length, manner);
    if manner.without_body || response.status == StatusCode::NO_CONTENT {
        body = Body::default();
    }
    stream.start_clock();
    for piece in &mut body.pieces {
        let room = FIRST_PACKET.saturating_sub(first.len());
        let start = piece.split_to(piece.len().min(room));
        first.extend_from_slice(&start);
    }
    let mut progress = Progress::new(guest);
    progress.takes_memory(&body.share);
    let is_late = |waited: Duration, sent: usize| {
        let is_slow = waited > GRACE && sent / LEAST_RATE < (waited - GRACE).as_secs() as usize;
        progress.look(waited, sent) || is_slow
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

/// <https://www.rfc-editor.org/rfc/rfc9110#section-8.6>: no length where there is never a body.
fn head(response: &Response, length: usize, manner: Manner) -> Vec<u8> {
    let mut head = Vec::with_capacity(512 + length.min(FIRST_PACKET));
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
    match (manner.keeps_alive, manner.is_http_10) {
        (false, _) => head.extend_from_slice(b"connection: close\r\n"),
        (true, true) => head.extend_from_slice(b"connection: keep-alive\r\n"),
        (true, false) => {}
    }
    write_date(&mut head, manner.now);
    head.extend_from_slice(b"\r\n");
    head
}

/// The date is rewritten once a second.
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
