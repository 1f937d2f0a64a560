//! One connection: its requests, one after the other.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, Instant};

use hyper::header::{HeaderName, HeaderValue};
use hyper::server::conn::Http;
use hyper::service::service_fn;
use hyper::{Body, Request, Response};
use tokio::net::TcpStream;

use super::body::read_body;
use super::patience::Patient;
use crate::http::{Parts, Problem, Query, Reply, Target};
use crate::log::{self, Access, Level};
use crate::service::Service;

/// The time to send a request's head.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// The time in which a connection may do nothing: between two requests, or while a client does not
/// read its answer. Above the 15 s that reading a body and asking the database may take together.
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);
/// The most bytes of a head, give or take a buffer; hyper answers 431 above it.
const MAX_HEAD_BYTES: usize = 32 * 1024;

/// What most routes read of a body, and what is read for paths that do not exist.
const DEFAULT_BODY_LIMIT: usize = 1024 * 1024;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Serves a connection until it ends.
pub async fn serve(stream: TcpStream, service: Arc<Service>) {
    // A connection that is gone already fails below; the guest has no such option and needs none.
    let _ = stream.set_nodelay(true);
    let stream = Patient::new(stream, IDLE_TIMEOUT);
    let answer = service_fn(move |request| {
        let service = Arc::clone(&service);
        async move { Ok::<_, Infallible>(answer(&service, request).await) }
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

async fn answer(service: &Service, request: Request<Body>) -> Response<Body> {
    let start = Instant::now();
    let (head, body) = request.into_parts();
    let request_id = service.request_ids.choose(head.headers.get(REQUEST_ID));
    let path = head.uri.path();
    let target = Target::find(&head.method, path).and_then(|target| {
        service
            .origins
            .check(target.route, &head.method, &head.headers)
            .map(|()| target)
    });
    // The body is read even when the answer is known: closing a connection with unread bytes in it
    // could take the answer away from the client.
    let limit = target
        .as_ref()
        .map_or(DEFAULT_BODY_LIMIT, |target| target.route.body_limit());
    let body = read_body(body, limit).await;

    let reply = answer_complete(service, target, &head, body)
        .await
        .unwrap_or_else(Reply::from);
    let reply = service.origins.mark(reply, &head.headers);

    let (status, duration) = (reply.status.as_u16(), start.elapsed());
    let route = Target::of_path(path).map(|target| target.route);
    service.metrics.count(route, &head.method, status, duration);
    log::access(Access {
        method: head.method.as_str(),
        path,
        status,
        duration,
        request_id: &request_id,
    });
    into_response(reply, &request_id)
}

async fn answer_complete(
    service: &Service,
    target: Result<Target<'_>, Problem>,
    head: &hyper::http::request::Parts,
    body: Result<hyper::body::Bytes, Problem>,
) -> Result<Reply, Problem> {
    let parts = Parts {
        target: target?,
        method: &head.method,
        query: Query::new(head.uri.query()),
        headers: &head.headers,
        body: body?,
    };
    service.answer(&parts).await
}

fn into_response(reply: Reply, request_id: &str) -> Response<Body> {
    let mut response = Response::new(Body::from(reply.body));
    *response.status_mut() = reply.status;
    *response.headers_mut() = reply.headers;
    if let Ok(value) = HeaderValue::from_str(request_id) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    response
}
