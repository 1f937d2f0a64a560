//! The body of an answer as it is passed on: at once, piece by piece, and not always to its end.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};

use hyper::body::{Body, Bytes, Frame};
use tokio::time::Sleep;

use super::fault::{Fault, cut, expired};

/// How the body ends.
enum End {
    AsItDoes,
    After(usize),
    Expired(Pin<Box<Sleep>>),
    Now,
}

/// A body on its way to the client.
pub struct PassedOn {
    body: kube::client::Body,
    end: End,
    passed: Arc<AtomicUsize>,
}

impl PassedOn {
    /// The API server's answer with a fault, and where its bytes are counted.
    pub fn new(body: kube::client::Body, fault: Option<Fault>, passed: Arc<AtomicUsize>) -> Self {
        let end = match fault {
            Some(Fault::CutWithin(bytes)) => End::After(bytes),
            Some(Fault::Expire(pause)) => End::Expired(Box::pin(tokio::time::sleep(pause))),
            _ => End::AsItDoes,
        };
        Self { body, end, passed }
    }

    /// An answer of the proxy itself.
    pub fn text(text: String) -> Self {
        Self {
            body: text.into_bytes().into(),
            end: End::AsItDoes,
            passed: Arc::default(),
        }
    }
}

impl Body for PassedOn {
    type Data = Bytes;
    type Error = kube::Error;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, kube::Error>>> {
        let this = self.get_mut();
        if let End::Expired(sleep) = &mut this.end
            && sleep.as_mut().poll(context).is_ready()
        {
            this.end = End::Now;
            return Poll::Ready(Some(Ok(Frame::data(expired().into()))));
        }
        match this.end {
            End::Now => return Poll::Ready(None),
            End::After(0) => return Poll::Ready(Some(Err(cut()))),
            _ => {}
        }
        let Some(frame) = ready!(Pin::new(&mut this.body).poll_frame(context)) else {
            return Poll::Ready(None);
        };
        let Ok(mut data) = frame?.into_data() else {
            // Trailers, which the API server does not send.
            return Poll::Ready(None);
        };
        if let End::After(left) = &mut this.end {
            data.truncate(*left);
            *left -= data.len();
        }
        this.passed.fetch_add(data.len(), Ordering::Relaxed);
        Poll::Ready(Some(Ok(Frame::data(data))))
    }
}
