//! The body of an answer, handed over piece by piece.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use hyper::body::{Bytes, HttpBody, SizeHint};
use hyper::HeaderMap;

use super::memory::Share;

/// hyper copies what it is given next to the head, into a buffer that stays with the connection.
const PIECE: usize = 16 * 1024;

/// Bytes and the memory that is counted for them until the client has read them.
#[derive(Debug)]
pub struct AnswerBody {
    rest: Bytes,
    _share: Share,
}

impl AnswerBody {
    /// A body that gives its share back when it has been sent.
    pub fn new(bytes: Bytes, share: Share) -> AnswerBody {
        AnswerBody {
            rest: bytes,
            _share: share,
        }
    }
}

impl HttpBody for AnswerBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_data(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Bytes, Infallible>>> {
        let length = self.rest.len().min(PIECE);
        let piece = self.rest.split_to(length);
        Poll::Ready((!piece.is_empty()).then_some(Ok(piece)))
    }

    fn poll_trailers(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<Option<HeaderMap>, Infallible>> {
        Poll::Ready(Ok(None))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.rest.len() as u64)
    }
}
