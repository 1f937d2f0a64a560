//! One connection: its requests, one after the other.

use std::io::ErrorKind;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use hyper::header::{HeaderName, HeaderValue};
use hyper::{HeaderMap, Method};
use tokio::io::{AsyncRead, AsyncWrite};

use super::answer::{self, Manner};
use super::body::{read_body, Body, MAX_DISCARDED};
use super::connections::{Connections, Guest};
use super::head::{self, Head};
use super::stream::Stream;
use super::Service;
use crate::context::Context;
use crate::http::{BufferedRequest, Problem, Query, Response, Route, Target, DEFAULT_BODY_LIMIT};
use crate::log::{self, Access, Level};
use crate::memory::MemoryPermit;

/// The time to send a request's head, from the first moment of a connection or the end of the answer before.
const HEAD_LIMIT: Duration = Duration::from_secs(10);
/// The same while connections are scarce: a few hundred idle clients must not keep others out for long.
const SCARCE_HEAD_LIMIT: Duration = Duration::from_secs(3);
/// The age from which a connection's next answer is its last. The guest gets no signal before it is ended, so it cannot
/// say goodbye then. Instead no busy connection is ever older than this, which is less than the pod is kept after it has
/// left its Service (`preStop.sleep` in manifests/app.yaml): when the end comes, clients that keep connections have moved
/// on to other pods.
const MAX_AGE: Duration = Duration::from_secs(2);
/// The time for which a client is listened to after the last answer, so that it gets to read it:
/// <https://www.rfc-editor.org/rfc/rfc9112#section-9.6>.
const LINGER: Duration = Duration::from_secs(2);
/// What a header takes beside its bytes.
const HEADER_BYTES: usize = 96;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// Who answered: the instance, and how its code is executed.
const SERVED_BY: HeaderName = HeaderName::from_static("x-served-by");

/// What all connections share.
#[derive(Debug)]
pub struct Shared<S> {
    /// What requests ask for.
    pub(super) service: S,
    context: Arc<Context>,
    /// Their places.
    pub(super) connections: Arc<Connections>,
}

impl<S> Shared<S> {
    /// This service in this process.
    pub fn new(service: S, context: Arc<Context>) -> Shared<S> {
        Shared {
            service,
            context,
            connections: Arc::default(),
        }
    }

    /// Takes a place for a new connection.
    pub async fn enter(&self) -> Guest {
        self.connections.enter().await
    }
}

/// Serves a connection until it ends.
pub async fn serve<S: Service>(
    socket: impl AsyncRead + AsyncWrite + Unpin,
    peer: Option<IpAddr>,
    guest: Guest,
    shared: Arc<Shared<S>>,
) {
    let mut connection = Connection {
        stream: Stream::new(socket),
        peer,
        guest,
        opened: Instant::now(),
        heads: MemoryPermit::default(),
    };
    while connection.serve_one(&shared).await.is_some() {}
}

/// A connection with what is remembered from one request to the next.
struct Connection<S> {
    stream: Stream<S>,
    peer: Option<IpAddr>,
    guest: Guest,
    opened: Instant,
    heads: MemoryPermit,
}

/// Why a connection has no next request.
enum NoHead {
    /// It ended, or nothing came.
    Closed,
    /// What came is no request.
    Refused(Problem),
}

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<S> {
    /// Answers the next request, if there is one and another may follow.
    async fn serve_one<T: Service>(&mut self, shared: &Shared<T>) -> Option<()> {
        self.guest.waits();
        let head = match self.read_head(shared).await {
            Ok(head) => head,
            Err(NoHead::Closed) => return None,
            Err(NoHead::Refused(problem)) => {
                self.refuse(problem, &shared.context).await;
                return None;
            }
        };
        let start = Instant::now();
        let context = &*shared.context;
        let path = head.uri.path();
        let target = find_target::<T>(context, &head, path);
        // The body is read even when the answer is known: closing a connection with unread bytes in it could take the
        // answer away from the client.
        let limit = target
            .as_ref()
            .map_or(DEFAULT_BODY_LIMIT, |target| target.route.body_limit());
        let memory = &context.memory;
        let received = read_body(&mut self.stream, &head, limit, memory, &self.guest).await;

        self.guest.is_served();
        let answer = answer_complete(shared, target, &head, received.body).await;
        let response = answer.unwrap_or_else(Response::from);
        let request_id = context.request_ids.choose(head.headers.get(REQUEST_ID));
        let (response, body) = self.finish(response, &head.headers, &request_id, context);

        let now = Instant::now();
        let (status, duration) = (response.status.as_u16(), now.duration_since(start));
        let route = Target::<T::Route>::of_path(path).map(|target| target.route.path());
        context.metrics.count(route, &head.method, status, duration);
        log::access(Access {
            method: head.method.as_str(),
            path,
            status,
            duration,
            request_id: &request_id,
        });
        let manner = Manner {
            without_body: head.method == Method::HEAD,
            keeps_alive: head.keeps_alive && received.is_complete && now.duration_since(self.opened) < MAX_AGE,
            is_http_10: head.is_http_10,
            now,
        };
        self.send(&response, body, manner).await
    }

    /// Reads the next head. It is handed on as a whole: what comes byte by byte is not parsed again with each of them.
    async fn read_head<T: Service>(&mut self, shared: &Shared<T>) -> Result<Head, NoHead> {
        let memory = &shared.context.memory;
        let is_late =
            |waited: Duration| waited >= HEAD_LIMIT || (waited >= SCARCE_HEAD_LIMIT && shared.connections.are_scarce());
        self.stream.start_clock();
        let mut search = head::Search::default();
        loop {
            if let Some(range) = search.look(self.stream.received()).map_err(NoHead::Refused)? {
                self.stream.advance(range.start);
                let bytes = self.stream.take(range.len());
                let head = head::read(&bytes).map_err(NoHead::Refused)?;
                let size = bytes.len() + head.headers.len() * HEADER_BYTES;
                let counted = memory.for_head(size, &mut self.heads);
                counted.map_err(|exhausted| NoHead::Refused(exhausted.into()))?;
                return Ok(head);
            }
            let counted = memory.for_head(self.stream.received().len() * 2, &mut self.heads);
            counted.map_err(|exhausted| NoHead::Refused(exhausted.into()))?;
            match self.stream.receive(is_late).await {
                Ok(0) if self.stream.received().is_empty() => return Err(NoHead::Closed),
                Ok(0) => return Err(NoHead::Refused(head::malformed("no end of its head"))),
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::TimedOut && !self.stream.received().is_empty() => {
                    let message = "the request's head took too long to arrive";
                    let late = Problem::new(crate::http::Code::REQUEST_TIMEOUT, message);
                    return Err(NoHead::Refused(late));
                }
                Err(error) => {
                    log::event(Level::Debug, &format!("a connection ended: {error}"));
                    return Err(NoHead::Closed);
                }
            }
        }
    }

    /// Answers what is no request, and counts it.
    async fn refuse(&mut self, problem: Problem, context: &Context) {
        let request_id = context.request_ids.choose(None);
        let (response, body) = self.finish(problem.into(), &HeaderMap::new(), &request_id, context);
        let status = response.status.as_u16();
        context.metrics.count(None, &Method::GET, status, Duration::ZERO);
        log::access(Access {
            method: "-",
            path: "-",
            status,
            duration: Duration::ZERO,
            request_id: &request_id,
        });
        let manner = Manner {
            without_body: false,
            keeps_alive: false,
            is_http_10: false,
            now: Instant::now(),
        };
        // The connection ends in any case.
        let _ = self.send(&response, body, manner).await;
    }

    /// Adds what every answer has, and takes the memory for its body.
    fn finish(
        &self,
        response: Response,
        headers: &HeaderMap,
        request_id: &str,
        context: &Context,
    ) -> (Response, answer::Body) {
        let mut response = context.origins.add_headers(response, headers);
        let count = |response: &mut Response| {
            let content = std::mem::take(&mut response.body);
            answer::Body::new(content, &context.memory, self.peer)
        };
        let body = count(&mut response).or_else(|exhausted| {
            response = context
                .origins
                .add_headers(Response::from(Problem::from(exhausted)), headers);
            count(&mut response)
        });
        if let Ok(value) = HeaderValue::from_str(request_id) {
            response.headers.insert(REQUEST_ID, value);
        }
        if let Some(served_by) = &context.served_by {
            // An answer that is passed on names who has given it.
            response.headers.entry(SERVED_BY).or_insert_with(|| served_by.clone());
        }
        // That problem is so short that it is free.
        (response, body.unwrap_or_default())
    }

    /// Sends an answer. Returns whether another request may follow.
    async fn send(&mut self, response: &Response, body: answer::Body, manner: Manner) -> Option<()> {
        if let Err(error) = answer::send(&mut self.stream, response, body, manner, &self.guest).await {
            log::event(Level::Debug, &format!("an answer was not read: {error}"));
            return None;
        }
        if manner.keeps_alive {
            return Some(());
        }
        self.linger().await;
        None
    }

    /// Lets the client read its last answer: a connection that is closed with unread bytes in it is reset, and the client's
    /// system may discard what it has received.
    async fn linger(&mut self) {
        self.guest.waits();
        self.stream.start_clock();
        if self.stream.finish().await.is_err() {
            return;
        }
        let mut discarded = 0;
        while discarded < MAX_DISCARDED {
            self.stream.advance(usize::MAX);
            match self.stream.receive(|waited| waited >= LINGER).await {
                Ok(0) | Err(_) => return,
                Ok(bytes) => discarded += bytes,
            }
        }
    }
}

fn find_target<'path, T: Service>(
    context: &Context,
    head: &Head,
    path: &'path str,
) -> Result<Target<'path, T::Route>, Problem> {
    let target = Target::find(&head.method, path)?;
    context
        .origins
        .check(target.route, &head.method, &head.uri, &head.headers)?;
    crate::http::check_encoding(&head.headers)?;
    Ok(target)
}

async fn answer_complete<T: Service>(
    shared: &Shared<T>,
    target: Result<Target<'_, T::Route>, Problem>,
    head: &Head,
    body: Result<Body, Problem>,
) -> Result<Response, Problem> {
    let target = target?;
    // What comes of the body takes its share until the answer is there.
    let Body { bytes, share: _share } = body?;
    let parts = BufferedRequest {
        target,
        method: &head.method,
        query: Query::new(head.uri.query()),
        headers: &head.headers,
        body: bytes,
    };
    shared.service.answer(parts).await
}
