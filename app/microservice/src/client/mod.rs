//! HTTP requests to another service, over a pool of idle connections.

mod connection;
mod endpoint;
mod retry_after;
#[cfg(test)]
mod tests;

use std::fmt;
use std::future::poll_fn;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use hyper::body::{Body, Bytes, HttpBody};
use hyper::client::conn::SendRequest;
use hyper::header::{HeaderName, HeaderValue, CONTENT_TYPE, HOST};
use hyper::{HeaderMap, Method, Request, StatusCode};
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::timeout;

use crate::backoff::Backoff;
use crate::memory::{Buffer, Exhausted, Memory};
use crate::resolver::Resolver;
use crate::signature::SIGNATURE;
use crate::trace::Trace;

pub use endpoint::Endpoint;

use connection::open_connection;
use retry_after::parse_retry_after;

/// The largest response body that is read.
const MAX_RESPONSE_BYTES: usize = 1024 * 1024;
/// The most idle connections that are kept.
const MAX_IDLE_CONNECTIONS: usize = 8;
/// The time to resolve the host and to connect.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// The most concurrent requests that are made for clients of this service, and the time to wait for a permit.
const MAX_CONCURRENT_REQUESTS: usize = 8;
const PERMIT_TIMEOUT: Duration = Duration::from_secs(1);
/// The backoff after a failed attempt to connect, during which no other attempt is made.
const FIRST_BACKOFF: Duration = Duration::from_millis(100);
const MAX_BACKOFF: Duration = Duration::from_secs(1);

/// The response of another service.
#[derive(Debug)]
pub struct ClientResponse {
    /// Any status: what is an error is up to who has sent the request.
    pub status: StatusCode,
    /// All headers, as they were received.
    pub headers: HeaderMap,
    /// The whole body, of at most 1 MiB, with the permit for its memory.
    pub body: Buffer,
}

impl ClientResponse {
    /// The delay that the `Retry-After` header asks for, if there is a valid one.
    pub fn retry_after(&self) -> Option<Duration> {
        parse_retry_after(&self.headers, SystemTime::now())
    }
}

/// Why there is no response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClientError {
    /// The request was not sent, for this reason.
    Unreachable(String),
    /// The request may have reached the server, but there is no complete response, for this reason.
    Failed(String),
    /// The response is larger than 1 MiB.
    TooLarge,
    /// The limit of concurrent requests is reached; the request was not sent.
    Busy,
    /// The limit of memory is reached; the request was sent, and its response dropped.
    NoMemory,
}

impl fmt::Display for ClientError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ClientError::Unreachable(reason) | ClientError::Failed(reason) => formatter.write_str(reason),
            ClientError::TooLarge => write!(formatter, "its answer is larger than {MAX_RESPONSE_BYTES} bytes"),
            ClientError::Busy | ClientError::NoMemory => formatter.write_str("too much is asked for at once"),
        }
    }
}

impl From<Exhausted> for ClientError {
    fn from(_: Exhausted) -> ClientError {
        ClientError::NoMemory
    }
}

/// A client of one other service.
#[derive(Debug)]
pub struct Client {
    endpoint: Endpoint,
    resolver: Resolver,
    /// For a whole request: connecting, sending, and reading the response.
    request_timeout: Duration,
    memory: Memory,
    idle_connections: Mutex<Vec<SendRequest<Body>>>,
    permits: Semaphore,
    connect_backoff: Backoff,
}

impl Client {
    /// A client of this endpoint. It connects with the first request.
    pub fn new(endpoint: Endpoint, request_timeout: Duration, memory: Memory) -> Client {
        Client {
            resolver: Resolver::new(endpoint.host.as_str(), endpoint.port),
            endpoint,
            request_timeout,
            memory,
            idle_connections: Mutex::default(),
            permits: Semaphore::new(MAX_CONCURRENT_REQUESTS),
            connect_backoff: Backoff::new(FIRST_BACKOFF, MAX_BACKOFF),
        }
    }

    /// The endpoint's path.
    pub(crate) fn path(&self) -> &str {
        &self.endpoint.path
    }

    /// Sends a GET request to the endpoint's path with this query. The number of concurrent requests is limited.
    pub async fn get(&self, query: &str) -> Result<ClientResponse, ClientError> {
        let target = match query {
            "" => self.endpoint.path.clone(),
            query => format!("{}?{query}", self.endpoint.path),
        };
        let _permit = self.acquire_permit().await?;
        self.request(Method::GET, &target, &[], &Bytes::new(), true).await
    }

    /// Sends a POST request to the endpoint's path, with a signature and a trace context if there are. The server may
    /// receive it twice: when an idle connection breaks, it is not known whether the request has arrived, and it is sent
    /// again.
    pub async fn post(
        &self,
        content_type: &'static str,
        body: Bytes,
        signature: Option<&str>,
        trace: &Trace,
    ) -> Result<ClientResponse, ClientError> {
        let mut headers = vec![(CONTENT_TYPE, HeaderValue::from_static(content_type))];
        if let Some(signature) = signature.and_then(|text| HeaderValue::from_str(text).ok()) {
            headers.push((SIGNATURE, signature));
        }
        headers.extend(trace.headers());
        self.request(Method::POST, &self.endpoint.path, &headers, &body, true)
            .await
    }

    /// Waits for a permit of the semaphore that limits concurrent requests.
    pub(crate) async fn acquire_permit(&self) -> Result<SemaphorePermit<'_>, ClientError> {
        let permit = timeout(PERMIT_TIMEOUT, self.permits.acquire()).await;
        permit.map_err(|_| ClientError::Busy)?.map_err(|_| ClientError::Busy)
    }

    /// Sends a request with these headers. `target` begins with the endpoint's path. The server may receive a
    /// repeatable request twice.
    pub(crate) async fn request(
        &self,
        method: Method,
        target: &str,
        headers: &[(HeaderName, HeaderValue)],
        body: &Bytes,
        is_repeatable: bool,
    ) -> Result<ClientResponse, ClientError> {
        self.send_with_retry(is_repeatable, || {
            let mut request = Request::builder()
                .method(method.clone())
                .uri(target)
                .header(HOST, self.endpoint.authority.clone())
                .body(Body::from(body.clone()))
                .map_err(|error| ClientError::Unreachable(error.to_string()))?;
            request.headers_mut().extend(headers.iter().cloned());
            Ok(request)
        })
        .await
    }

    /// Sends a request on an idle connection, and once more on a new one if the idle one turns out to be closed: if it
    /// was not sent, or may be sent twice.
    async fn send_with_retry(
        &self,
        is_repeatable: bool,
        build_request: impl Fn() -> Result<Request<Body>, ClientError>,
    ) -> Result<ClientResponse, ClientError> {
        let exchange = async {
            let idle_connection = self.idle_connections().pop();
            if let Some(connection) = idle_connection {
                match self.send(connection, build_request()?).await {
                    Err(ClientError::Unreachable(_)) => {}
                    Err(ClientError::Failed(_)) if is_repeatable => {}
                    result => return result,
                }
            }
            let connection = self.connect().await?;
            let result = self.send(connection, build_request()?).await;
            if matches!(result, Err(ClientError::Unreachable(_))) {
                self.resolver.invalidate();
            }
            result
        };
        let result = timeout(self.request_timeout, exchange).await.unwrap_or_else(|_| {
            let reason = format!("no answer within {} s", self.request_timeout.as_secs());
            Err(ClientError::Failed(reason))
        });
        if matches!(result, Err(ClientError::Failed(_))) {
            self.resolver.invalidate();
        }
        result
    }

    async fn connect(&self) -> Result<SendRequest<Body>, ClientError> {
        if self.connect_backoff.is_active() {
            return Err(ClientError::Unreachable(
                "it could not be reached a moment ago".to_owned(),
            ));
        }
        let mut attempted = None;
        let attempt = async {
            let address = self.resolver.resolve().await?;
            attempted = Some(address);
            open_connection(address).await
        };
        let reason = match timeout(CONNECT_TIMEOUT, attempt).await {
            Ok(Ok(connection)) => {
                self.connect_backoff.reset();
                return Ok(connection);
            }
            Ok(Err(reason)) => reason,
            Err(_) => format!("no connection within {} s", CONNECT_TIMEOUT.as_secs()),
        };
        self.connect_backoff.start();
        if let Some(address) = attempted {
            self.resolver.invalidate_address(address);
        }
        Err(ClientError::Unreachable(reason))
    }

    /// Sends a request on a connection, reads the whole response, and keeps the connection if it can be used again. It
    /// is unreachable if the connection was closed before the request was sent.
    async fn send(
        &self,
        mut connection: SendRequest<Body>,
        request: Request<Body>,
    ) -> Result<ClientResponse, ClientError> {
        let failed = |error: hyper::Error| ClientError::Failed(error.to_string());
        poll_fn(|context| connection.poll_ready(context))
            .await
            .map_err(|error| ClientError::Unreachable(error.to_string()))?;
        let response = connection.send_request(request).await.map_err(|error| {
            if error.is_canceled() || error.is_closed() {
                ClientError::Unreachable(error.to_string())
            } else {
                failed(error)
            }
        })?;
        let (head, mut body) = response.into_parts();
        let mut buffer = self.memory.buffer(0).await?;
        while let Some(chunk) = body.data().await {
            let chunk = chunk.map_err(failed)?;
            if buffer.len() + chunk.len() > MAX_RESPONSE_BYTES {
                return Err(ClientError::TooLarge);
            }
            buffer.push(&chunk)?;
        }
        // Only after a success. Any other status may come from a different host: for a Service without ready endpoints,
        // a node rejects the first packet of a connection, but routes the second one out of the cluster, where any host
        // may respond. A connection to it must not be used again.
        let mut idle_connections = self.idle_connections();
        if head.status.is_success() && idle_connections.len() < MAX_IDLE_CONNECTIONS {
            idle_connections.push(connection);
        }
        Ok(ClientResponse {
            status: head.status,
            headers: head.headers,
            body: buffer,
        })
    }

    fn idle_connections(&self) -> MutexGuard<'_, Vec<SendRequest<Body>>> {
        self.idle_connections.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
