//! One connection: its requests, one after the other.

use std::io::ErrorKind;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use hyper::header::{HeaderName, HeaderValue};
use hyper::{HeaderMap, Method};
use tokio::io::{AsyncRead, AsyncWrite};

use super::body::{read_body, Body, MAX_DISCARDED_BYTES};
use super::connections::{ConnectionPermit, Connections};
use super::head::{self, Head};
use super::malformed::malformed;
use super::response::{send_response, OutgoingBody, ResponseOptions};
use super::stream::Stream;
use super::Service;
use crate::context::Context;
use crate::http::{BufferedRequest, Problem, Query, Response, Route, Target, DEFAULT_BODY_LIMIT, SERVED_BY};
use crate::log::{self, Access, Level};
use crate::memory::MemoryPermit;

/// The time to send a head, from the start of the connection or the end of the previous response.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// The same while connections are scarce, so that a few hundred idle clients do not block others for long.
const SCARCE_HEAD_TIMEOUT: Duration = Duration::from_secs(3);
/// The age from which a connection is closed after its next response. A guest receives no SIGTERM, so it cannot close
/// its connections gracefully before it is killed. Instead, no active connection lives for longer than this, which is
/// less than the pod keeps running after its removal from the Service (`preStop.sleep` in manifests/app.yaml): by the
/// time the pod is killed, clients have connected to other pods.
const MAX_KEEP_ALIVE_AGE: Duration = Duration::from_secs(2);
/// The time for which received bytes are discarded after the last response, so that the client can read it:
/// <https://www.rfc-editor.org/rfc/rfc9112#section-9.6>.
const LINGER_TIMEOUT: Duration = Duration::from_secs(2);
/// The memory of a header beside its bytes.
const HEADER_OVERHEAD_BYTES: usize = 96;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// What all connections share.
#[derive(Debug)]
pub struct Shared<S> {
    /// Handles the requests.
    pub(super) service: S,
    context: Arc<Context>,
    /// The open connections.
    pub(super) connections: Arc<Connections>,
}

impl<S> Shared<S> {
    /// The state of this service.
    pub fn new(service: S, context: Arc<Context>) -> Shared<S> {
        Shared {
            service,
            context,
            connections: Arc::default(),
        }
    }

    /// Admits a new connection.
    pub async fn admit_connection(&self) -> ConnectionPermit {
        self.connections.acquire().await
    }
}

/// Serves a connection until it ends.
pub async fn serve<S: Service>(
    socket: impl AsyncRead + AsyncWrite + Unpin,
    peer: Option<IpAddr>,
    permit: ConnectionPermit,
    shared: Arc<Shared<S>>,
) {
    let mut connection = Connection {
        stream: Stream::new(socket),
        peer,
        permit,
        opened: Instant::now(),
        head_permit: MemoryPermit::default(),
    };
    while connection.serve_next_request(&shared).await.is_some() {}
}

/// A connection, with its state between requests.
struct Connection<S> {
    stream: Stream<S>,
    peer: Option<IpAddr>,
    permit: ConnectionPermit,
    opened: Instant,
    head_permit: MemoryPermit,
}

/// Why there is no next request.
enum HeadError {
    /// The connection was closed or timed out.
    Closed,
    /// The received bytes are not an acceptable request.
    Rejected(Problem),
}

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<S> {
    /// Serves the next request. `None` if the connection is to be closed.
    async fn serve_next_request<T: Service>(&mut self, shared: &Shared<T>) -> Option<()> {
        if self.stream.received().is_empty() {
            // An idle connection holds no memory.
            self.head_permit = MemoryPermit::default();
        }
        self.permit.mark_waiting();
        let head = match self.read_head(shared).await {
            Ok(head) => head,
            Err(HeadError::Closed) => return None,
            Err(HeadError::Rejected(problem)) => {
                self.reject(problem, &shared.context).await;
                return None;
            }
        };
        let start = Instant::now();
        let context = &*shared.context;
        let path = head.uri.path();
        let target = match_route::<T>(context, &head, path);
        // The body is read even if the request is already rejected: a connection that is closed with unread bytes is
        // reset, and the client may lose the response.
        let limit = target
            .as_ref()
            .map_or(DEFAULT_BODY_LIMIT, |target| target.route.body_limit());
        let memory = &context.memory;
        let received = read_body(&mut self.stream, &head, limit, memory, &self.permit).await;

        self.permit.mark_busy();
        let result = call_service(shared, target, &head, received.body).await;
        let response = result.unwrap_or_else(Response::from);
        let request_id = context.request_ids.choose(head.headers.get(REQUEST_ID));
        let (response, body) = self.finalize_response(response, &head.headers, &request_id, context);

        let now = Instant::now();
        let (status, duration) = (response.status.as_u16(), now.duration_since(start));
        let route = Target::<T::Route>::from_path(path).map(|target| target.route.path());
        context.metrics.count(route, &head.method, status, duration);
        log::access(Access {
            method: head.method.as_str(),
            path,
            status,
            duration,
            request_id: &request_id,
        });
        let options = ResponseOptions {
            omits_body: head.method == Method::HEAD,
            keeps_alive: head.keeps_alive
                && received.is_complete
                && now.duration_since(self.opened) < MAX_KEEP_ALIVE_AGE,
            is_http_10: head.is_http_10,
            now,
        };
        self.send(&response, body, options).await
    }

    /// Reads the next head. It is parsed once it is complete, not again with each part that arrives.
    async fn read_head<T: Service>(&mut self, shared: &Shared<T>) -> Result<Head, HeadError> {
        let memory = &shared.context.memory;
        let is_timed_out = |waited: Duration| {
            waited >= HEAD_TIMEOUT || (waited >= SCARCE_HEAD_TIMEOUT && shared.connections.are_scarce())
        };
        self.stream.reset_timer();
        let mut search = head::HeadSearch::default();
        loop {
            if let Some(range) = search.find_head(self.stream.received()).map_err(HeadError::Rejected)? {
                self.stream.advance(range.start);
                let bytes = self.stream.take(range.len());
                let head = head::parse_head(&bytes).map_err(HeadError::Rejected)?;
                let size = bytes.len() + head.headers.len() * HEADER_OVERHEAD_BYTES;
                let reserved = memory.reserve_head(size, &mut self.head_permit);
                reserved.map_err(|exhausted| HeadError::Rejected(exhausted.into()))?;
                return Ok(head);
            }
            let reserved = memory.reserve_head(self.stream.received().len() * 2, &mut self.head_permit);
            reserved.map_err(|exhausted| HeadError::Rejected(exhausted.into()))?;
            match self.stream.receive(is_timed_out).await {
                Ok(0) if self.stream.received().is_empty() => return Err(HeadError::Closed),
                Ok(0) => return Err(HeadError::Rejected(malformed("no end of its head"))),
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::TimedOut && !self.stream.received().is_empty() => {
                    let message = "the request's head took too long to arrive";
                    let error = Problem::new(crate::http::Code::REQUEST_TIMEOUT, message);
                    return Err(HeadError::Rejected(error));
                }
                Err(error) => {
                    log::event(Level::Debug, &format!("a connection ended: {error}"));
                    return Err(HeadError::Closed);
                }
            }
        }
    }

    /// Responds to what is not a request, and counts it.
    async fn reject(&mut self, problem: Problem, context: &Context) {
        let request_id = context.request_ids.choose(None);
        let (response, body) = self.finalize_response(problem.into(), &HeaderMap::new(), &request_id, context);
        let status = response.status.as_u16();
        context.metrics.count_rejected(status);
        log::access(Access {
            method: "-",
            path: "-",
            status,
            duration: Duration::ZERO,
            request_id: &request_id,
        });
        let options = ResponseOptions {
            omits_body: false,
            keeps_alive: false,
            is_http_10: false,
            now: Instant::now(),
        };
        // The connection is closed in any case.
        let _ = self.send(&response, body, options).await;
    }

    /// Adds the headers that every response has, and acquires the memory for its body.
    fn finalize_response(
        &self,
        response: Response,
        headers: &HeaderMap,
        request_id: &str,
        context: &Context,
    ) -> (Response, OutgoingBody) {
        let mut response = context.origins.add_headers(response, headers);
        let reserve = |response: &mut Response| {
            let content = std::mem::take(&mut response.body);
            OutgoingBody::new(content, &context.memory, self.peer)
        };
        let body = reserve(&mut response).or_else(|exhausted| {
            response = context
                .origins
                .add_headers(Response::from(Problem::from(exhausted)), headers);
            reserve(&mut response)
        });
        if let Ok(value) = HeaderValue::from_str(request_id) {
            response.headers.insert(REQUEST_ID, value);
        }
        if let Some(served_by) = &context.served_by {
            // An answer that is passed on names who has given it.
            response.headers.entry(SERVED_BY).or_insert_with(|| served_by.clone());
        }
        // The response of that problem is so short that it needs no permit.
        (response, body.unwrap_or_default())
    }

    /// Sends a response. `None` if the connection is to be closed.
    async fn send(&mut self, response: &Response, body: OutgoingBody, options: ResponseOptions) -> Option<()> {
        if let Err(error) = send_response(&mut self.stream, response, body, options, &self.permit).await {
            log::event(Level::Debug, &format!("an answer was not read: {error}"));
            return None;
        }
        if options.keeps_alive {
            return Some(());
        }
        self.linger().await;
        None
    }

    /// Lets the client read the last response: a connection that is closed with unread bytes is reset, and the client's
    /// system may discard what it has received.
    async fn linger(&mut self) {
        self.permit.mark_waiting();
        self.stream.reset_timer();
        if self.stream.shut_down().await.is_err() {
            return;
        }
        let mut discarded = 0;
        while discarded < MAX_DISCARDED_BYTES {
            self.stream.advance(usize::MAX);
            match self.stream.receive(|waited| waited >= LINGER_TIMEOUT).await {
                Ok(0) | Err(_) => return,
                Ok(bytes) => discarded += bytes,
            }
        }
    }
}

fn match_route<'path, T: Service>(
    context: &Context,
    head: &Head,
    path: &'path str,
) -> Result<Target<'path, T::Route>, Problem> {
    let target = Target::match_request(&head.method, path)?;
    context
        .origins
        .check(target.route, &head.method, &head.uri, &head.headers)?;
    crate::http::check_encoding(&head.headers)?;
    Ok(target)
}

async fn call_service<T: Service>(
    shared: &Shared<T>,
    target: Result<Target<'_, T::Route>, Problem>,
    head: &Head,
    body: Result<Body, Problem>,
) -> Result<Response, Problem> {
    let target = target?;
    // The permit is held until the response is there, because the service may hold the body or what it parses from it.
    let Body { bytes, permit: _permit } = body?;
    if head.method == Method::OPTIONS {
        return Ok(shared.context.origins.preflight(target.route, &head.headers));
    }
    let request = BufferedRequest {
        target,
        method: &head.method,
        query: Query::new(head.uri.query()),
        headers: &head.headers,
        body: bytes,
    };
    shared.service.handle(request).await
}
