//! Reading request bodies within limits.

use std::time::Duration;

use hyper::body::{Body, Bytes, HttpBody};
use tokio::time::timeout;

use super::memory::{Memory, Share};
use crate::http::{Code, Problem};

/// The time in which a client must have sent its body.
const READ_TIMEOUT: Duration = Duration::from_secs(10);

/// How much of a body that is too large is read and thrown away. A client that sends a little too
/// much then gets to read the answer, where closing the connection at once would make its system
/// discard it: <https://www.rfc-editor.org/rfc/rfc9112#section-9.6>.
const MAX_DISCARDED_BYTES: usize = 16 * 1024 * 1024;

/// Reads a whole body of at most `limit` bytes, and takes the memory for it.
pub async fn read_body(body: Body, limit: usize, memory: &Memory) -> Result<(Bytes, Share), Problem> {
    if body.is_end_stream() {
        return Ok(Default::default());
    }
    timeout(READ_TIMEOUT, collect(body, limit, memory))
        .await
        .unwrap_or_else(|_| {
            let message = "the request took more than 10 s to arrive";
            Err(Problem::new(Code::REQUEST_TIMEOUT, message))
        })
}

async fn collect(mut body: Body, limit: usize, memory: &Memory) -> Result<(Bytes, Share), Problem> {
    let announced = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    if announced > MAX_DISCARDED_BYTES {
        return Err(too_large(limit));
    }
    let mut share = Share::default();
    let mut received = 0_usize;
    let mut first = Bytes::new();
    let mut all = Vec::new();
    while let Some(chunk) = body.data().await {
        let chunk = chunk.map_err(|_| Problem::new(Code::INVALID_JSON, "the body broke off before its end"))?;
        received = received.saturating_add(chunk.len());
        if received > MAX_DISCARDED_BYTES {
            break;
        }
        if received > limit {
            (first, all, share) = (Bytes::new(), Vec::new(), Share::default());
            continue;
        }
        memory.for_body(received, &mut share)?;
        // Most bodies come in one piece, which then need not be copied.
        if first.is_empty() && all.is_empty() {
            first = chunk;
        } else {
            if all.is_empty() {
                all.extend_from_slice(&first);
            }
            all.extend_from_slice(&chunk);
        }
    }
    match received {
        _ if received > limit => Err(too_large(limit)),
        _ if all.is_empty() => Ok((first, share)),
        _ => Ok((all.into(), share)),
    }
}

fn too_large(limit: usize) -> Problem {
    Problem::new(
        Code::TOO_LARGE,
        format!("the body is larger than the {limit} bytes that this path takes"),
    )
}
