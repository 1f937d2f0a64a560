//! The routes: from a request to its answer. A panic would end the process for every client: return errors instead.

use std::convert::Infallible;
use std::time::{Duration, Instant};

use hyper::body::{Body, HttpBody};
use hyper::header::{HeaderValue, ALLOW, CONNECTION};
use hyper::{Request, Response, StatusCode};
use tokio::time::timeout;

const GREETING: &str = "Hello from greeter\n";
const MOST_BODY_BYTES: usize = 64 * 1024;
const BODY_TIMEOUT: Duration = Duration::from_secs(10);
/// The age from which a connection is closed after its answer. Less than preStop in the manifests: no client that keeps
/// one is still there when its pod is ended.
const MOST_AGE: Duration = Duration::from_secs(2);

/// Answers a request of a connection that was opened then.
pub async fn answer(opened: Instant, request: Request<Body>) -> Result<Response<Body>, Infallible> {
    let mut response = route(request).await;
    if opened.elapsed() > MOST_AGE {
        let close = HeaderValue::from_static("close");
        response.headers_mut().insert(CONNECTION, close);
    }
    Ok(response)
}

async fn route(request: Request<Body>) -> Response<Body> {
    let (head, body) = request.into_parts();
    match (head.method.as_str(), head.uri.path()) {
        ("GET" | "HEAD", "/") => text(StatusCode::OK, GREETING),
        // Alive, and able to work: for the probes in the manifests.
        ("GET" | "HEAD", "/healthz" | "/readyz") => text(StatusCode::OK, "ok\n"),
        ("POST", "/echo") => match timeout(BODY_TIMEOUT, read(body)).await {
            Ok(Ok(bytes)) => Response::new(bytes.into()),
            Ok(Err(status)) => text(status, "the body cannot be read\n"),
            Err(_) => text(
                StatusCode::REQUEST_TIMEOUT,
                "the body did not arrive in time\n",
            ),
        },
        (_, "/" | "/healthz" | "/readyz") => not_allowed("GET, HEAD"),
        (_, "/echo") => not_allowed("POST"),
        _ => text(StatusCode::NOT_FOUND, "not found\n"),
    }
}

/// Reads a body up to the limit.
async fn read(mut body: Body) -> Result<Vec<u8>, StatusCode> {
    let mut bytes = Vec::new();
    while let Some(part) = body.data().await {
        let part = part.map_err(|_| StatusCode::BAD_REQUEST)?;
        if bytes.len() + part.len() > MOST_BODY_BYTES {
            return Err(StatusCode::PAYLOAD_TOO_LARGE);
        }
        bytes.extend_from_slice(&part);
    }
    Ok(bytes)
}

fn not_allowed(methods: &'static str) -> Response<Body> {
    let mut response = text(StatusCode::METHOD_NOT_ALLOWED, "method not allowed\n");
    let allow = HeaderValue::from_static(methods);
    response.headers_mut().insert(ALLOW, allow);
    response
}

fn text(status: StatusCode, text: &'static str) -> Response<Body> {
    let mut response = Response::new(text.into());
    *response.status_mut() = status;
    response
}
