//! One connection: its requests, one after the other.

use std::convert::Infallible;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;
use std::time::{Duration, Instant};

use hyper::body::Bytes;
use hyper::header::{HeaderName, HeaderValue, CONNECTION};
use hyper::http::request::Parts as Head;
use hyper::server::conn::Http;
use hyper::service::service_fn;
use hyper::{Body, Request, Response};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::Semaphore;

use super::answer_body::AnswerBody;
use super::body::read_body;
use super::memory::{Memory, Share};
use super::patience::Patient;
use super::Service;
use crate::context::Context;
use crate::http::{Parts, Problem, Query, Reply, Route, Target, DEFAULT_BODY_LIMIT};
use crate::log::{self, Access, Level};

/// The most connections that are open at once; more wait in the system's queue. Each costs the
/// guest time even when idle: its engine polls all of them in turn.
const MAX_CONNECTIONS: usize = 1_024;
/// The time to send a request's head. hyper counts from its first look for one, so that a connection
/// without a request ends then too; after an answer it looks when its stream does, see [`Patient`].
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// The time in which a connection may do nothing, such as while a client does not read its answer.
/// Above the 20 s that reading a body, waiting for memory and asking the database may take together.
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);
/// The same for a connection that asks for nothing while slots are scarce: a few hundred idle clients
/// must not keep others out for long.
const SCARCE_IDLE_TIMEOUT: Duration = Duration::from_secs(3);
/// The age from which a connection's next answer is its last. The guest gets no signal before it is
/// ended, so it cannot say goodbye then. Instead no busy connection is ever older than this, which is
/// less than the pod is kept after it has left its Service (`preStop.sleep` in manifests/app.yaml):
/// when the end comes, clients that keep connections have moved on to other pods.
const MAX_AGE: Duration = Duration::from_secs(2);
/// The most bytes of a head, give or take a buffer; hyper answers 431 above it.
const MAX_HEAD_BYTES: usize = 32 * 1024;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// Who answered: the instance, and how its code is executed.
const SERVED_BY: HeaderName = HeaderName::from_static("x-served-by");

/// What all connections share.
#[derive(Debug)]
pub struct Shared<S> {
    /// What requests ask for.
    pub(super) service: S,
    context: Arc<Context>,
    memory: Memory,
    /// One for each connection that may be open.
    pub(super) slots: Arc<Semaphore>,
}

impl<S> Shared<S> {
    /// This service in this process.
    pub fn new(service: S, context: Arc<Context>) -> Shared<S> {
        Shared {
            service,
            context,
            memory: Memory::default(),
            slots: Arc::new(Semaphore::new(MAX_CONNECTIONS)),
        }
    }

    fn slots_are_scarce(&self) -> bool {
        self.slots.available_permits() < MAX_CONNECTIONS / 4
    }
}

/// Serves a connection until it ends.
pub async fn serve<S: Service>(stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static, shared: Arc<Shared<S>>) {
    let is_asked = Arc::new(AtomicBool::new(false));
    let limit = {
        let (shared, is_asked) = (Arc::clone(&shared), Arc::clone(&is_asked));
        move || match is_asked.load(Ordering::Relaxed) || !shared.slots_are_scarce() {
            true => IDLE_TIMEOUT,
            false => SCARCE_IDLE_TIMEOUT,
        }
    };
    let stream = Patient::new(stream, limit, SCARCE_IDLE_TIMEOUT);
    let opened = Instant::now();
    let answer = service_fn(move |request| {
        let (shared, is_asked) = (Arc::clone(&shared), Arc::clone(&is_asked));
        async move {
            is_asked.store(true, Ordering::Relaxed);
            let response = answer(&shared, request, opened).await;
            is_asked.store(false, Ordering::Relaxed);
            Ok::<_, Infallible>(response)
        }
    });
    let served = Http::new()
        .http1_only(true)
        .http1_header_read_timeout(HEAD_TIMEOUT)
        .max_buf_size(MAX_HEAD_BYTES)
        // The guest's sockets send only the first of several buffers at once, so that head and body
        // would leave in two packets and each answer would wait 40 ms for an acknowledgement.
        .http1_writev(false)
        .serve_connection(stream, answer)
        .await;
    if let Err(error) = served {
        log::event(Level::Debug, &format!("a connection ended early: {error}"));
    }
}

async fn answer<S: Service>(shared: &Shared<S>, request: Request<Body>, opened: Instant) -> Response<AnswerBody> {
    let start = Instant::now();
    let context = &*shared.context;
    let (head, body) = request.into_parts();
    let request_id = context.request_ids.choose(head.headers.get(REQUEST_ID));
    let path = head.uri.path();
    let target = Target::<S::Route>::find(&head.method, path).and_then(|target| {
        context
            .origins
            .check(target.route, &head.method, &head.headers)
            .map(|()| target)
    });
    // The body is read even when the answer is known: closing a connection with unread bytes in it
    // could take the answer away from the client.
    let limit = target
        .as_ref()
        .map_or(DEFAULT_BODY_LIMIT, |target| target.route.body_limit());
    let body = read_body(body, limit, &shared.memory).await;

    let (reply, share) = answer_complete(shared, target, &head, body)
        .await
        .unwrap_or_else(|problem| (Reply::from(problem), Share::default()));
    let reply = context.origins.mark(reply, &head.headers);

    let end = Instant::now();
    let (status, duration) = (reply.status.as_u16(), end.duration_since(start));
    let route = Target::<S::Route>::of_path(path).map(|target| target.route.path());
    context.metrics.count(route, &head.method, status, duration);
    log::access(Access {
        method: head.method.as_str(),
        path,
        status,
        duration,
        request_id: &request_id,
    });
    let mut response = into_response(reply, share, &request_id, context);
    if end.duration_since(opened) >= MAX_AGE {
        response
            .headers_mut()
            .insert(CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

/// The answer and the memory it takes until its client has read it.
async fn answer_complete<S: Service>(
    shared: &Shared<S>,
    target: Result<Target<'_, S::Route>, Problem>,
    head: &Head,
    body: Result<(Bytes, Share), Problem>,
) -> Result<(Reply, Share), Problem> {
    let target = target?;
    let (body, _body_share) = body?;
    let parts = Parts {
        target,
        method: &head.method,
        query: Query::new(head.uri.query()),
        headers: &head.headers,
        body,
    };
    let size = S::answer_size(&parts);
    let _list_share = shared.memory.for_list(size).await?;
    let reply = shared.service.answer(&parts).await?;
    let share = shared.memory.for_answer(reply.body.len())?;
    Ok((reply, share))
}

fn into_response(reply: Reply, share: Share, request_id: &str, context: &Context) -> Response<AnswerBody> {
    let mut response = Response::new(AnswerBody::new(reply.body, share));
    *response.status_mut() = reply.status;
    *response.headers_mut() = reply.headers;
    if let Ok(value) = HeaderValue::from_str(request_id) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    if let Some(served_by) = &context.served_by {
        response.headers_mut().insert(SERVED_BY, served_by.clone());
    }
    response
}
