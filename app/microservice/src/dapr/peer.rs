//! Requests through the sidecar, with retries.

use std::time::Duration;

use hyper::body::Bytes;
use hyper::header::{HeaderValue, CONTENT_TYPE};
use hyper::Method;
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};

use crate::client::{Client, ClientError, ClientResponse, Endpoint};
use crate::http::SERVED_BY;
use crate::memory::Memory;
use crate::trace::Trace;

/// The time limit of one attempt, and of all attempts together.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(2);
const TOTAL_TIMEOUT: Duration = Duration::from_secs(8);
/// The delays between attempts. A killed sidecar restarts within one to three seconds; the sidecar of a terminating pod
/// keeps its connections for some seconds after its service has ended.
const RETRY_DELAYS: [Duration; 5] = [
    Duration::from_millis(150),
    Duration::from_millis(400),
    Duration::from_millis(1_000),
    Duration::from_millis(1_500),
    Duration::from_millis(1_500),
];
/// The most requests that are forwarded at once. They wait for many seconds while the service is away, and must leave
/// connections for what this service answers by itself.
const MAX_FORWARDED: usize = 256;
/// The most bytes of a response body in an error.
const MAX_REASON_BYTES: usize = 1_000;
/// In the error of a sidecar whose service failed to respond, and in that of one whose service does not listen:
/// <https://github.com/dapr/dapr/blob/v1.16.0/pkg/messages/predefined.go>.
const APP_FAILED: &str = "error invoking app channel";
const APP_NOT_LISTENING: &str = "connection refused";

/// A service or a component behind the sidecar.
#[derive(Debug)]
pub struct Peer {
    client: Client,
    total_timeout: Duration,
    forward_permits: Semaphore,
}

/// Who makes a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Requester {
    /// This service, which may repeat it.
    Service,
    /// A client of this service, for which it is forwarded.
    Client,
}

impl Requester {
    /// The outcome of a request, and whether it is retried.
    fn check(self, outcome: Outcome, is_repeatable: bool) -> (Outcome, bool) {
        match self {
            Requester::Service => {
                let is_retryable = is_transient(&outcome);
                (outcome, is_retryable)
            }
            Requester::Client => {
                let outcome = require_service(outcome);
                let is_retryable = is_unserved(&outcome, is_repeatable);
                (outcome, is_retryable)
            }
        }
    }
}

type Outcome = Result<ClientResponse, ClientError>;

impl Peer {
    /// A peer at this endpoint of the sidecar.
    pub fn new(endpoint: Endpoint, memory: Memory) -> Peer {
        Peer {
            client: Client::new(endpoint, ATTEMPT_TIMEOUT, memory),
            total_timeout: TOTAL_TIMEOUT,
            forward_permits: Semaphore::new(MAX_FORWARDED),
        }
    }

    /// A peer with another time limit, for all attempts together.
    pub fn with_timeout(endpoint: Endpoint, total_timeout: Duration, memory: Memory) -> Peer {
        Peer {
            client: Client::new(endpoint, total_timeout, memory),
            total_timeout,
            forward_permits: Semaphore::new(MAX_FORWARDED),
        }
    }

    /// Sends a GET request to the endpoint's path with this suffix. Retried without a response, and with a transient
    /// status.
    pub async fn get(&self, path_suffix: &str, trace: &Trace) -> Outcome {
        let _permit = self.client.acquire_permit().await?;
        self.request_with_retry(Method::GET, path_suffix, Bytes::new(), trace, Requester::Service)
            .await
    }

    /// Sends a POST request with JSON to the endpoint's path. Retried, so it must be idempotent.
    pub async fn post(&self, json: Bytes, trace: &Trace) -> Outcome {
        let _permit = self.client.acquire_permit().await?;
        self.request_with_retry(Method::POST, "", json, trace, Requester::Service)
            .await
    }

    /// Forwards a request of a client to the endpoint's path with this suffix. Retried while no service receives it, as when
    /// a pod ends before its sidecar. Retried also when the service ends before it responds, if the method is idempotent.
    ///
    /// # Errors
    /// When the service does not respond. Any response of it is returned; a response of a sidecar in its place is an error.
    /// When too many requests are forwarded already: then it is not sent.
    pub async fn forward(&self, method: Method, path_suffix: &str, json: Bytes, trace: &Trace) -> Outcome {
        let _permit = self.forward_permits.try_acquire().map_err(|_| ClientError::Busy)?;
        self.request_with_retry(method, path_suffix, json, trace, Requester::Client)
            .await
    }

    async fn request_with_retry(
        &self,
        method: Method,
        path_suffix: &str,
        json: Bytes,
        trace: &Trace,
        requester: Requester,
    ) -> Outcome {
        let is_repeatable = requester == Requester::Service || method.is_idempotent();
        let target = format!("{}{path_suffix}", self.client.path());
        let mut headers: Vec<_> = trace.headers().collect();
        if !json.is_empty() {
            headers.push((CONTENT_TYPE, HeaderValue::from_static("application/json")));
        }
        let attempts = async {
            let mut delays = RETRY_DELAYS.into_iter();
            loop {
                let request = self
                    .client
                    .request(method.clone(), &target, &headers, &json, is_repeatable);
                let (outcome, is_retryable) = requester.check(request.await, is_repeatable);
                match delays.next() {
                    Some(delay) if is_retryable => sleep(delay).await,
                    _ => return outcome,
                }
            }
        };
        timeout(self.total_timeout, attempts).await.unwrap_or_else(|_| {
            let seconds = self.total_timeout.as_secs();
            Err(ClientError::Failed(format!("no answer within {seconds} s")))
        })
    }
}

/// Whether there is no response, or one with a transient status. A sidecar responds with 500 when it cannot reach the peer.
fn is_transient(outcome: &Outcome) -> bool {
    match outcome {
        Ok(response) => matches!(response.status.as_u16(), 429 | 500 | 502 | 503 | 504),
        Err(error) => !matches!(error, ClientError::Busy | ClientError::NoMemory | ClientError::TooLarge),
    }
}

/// Turns a response of a sidecar in place of the service into an error.
fn require_service(outcome: Outcome) -> Outcome {
    match outcome {
        Ok(response) if !response.headers.contains_key(SERVED_BY) => Err(match unexpected_status(response) {
            ClientError::Failed(reason) if reason.contains(APP_FAILED) && reason.contains(APP_NOT_LISTENING) => {
                ClientError::Unreachable(reason)
            }
            error => error,
        }),
        outcome => outcome,
    }
}

/// Whether no service has received the request, or if it is idempotent, whether none has responded.
fn is_unserved(outcome: &Outcome, is_idempotent: bool) -> bool {
    match outcome {
        Err(ClientError::Unreachable(_)) => true,
        Err(ClientError::Failed(reason)) => is_idempotent && reason.contains(APP_FAILED),
        Ok(_) | Err(ClientError::TooLarge | ClientError::Busy | ClientError::NoMemory) => false,
    }
}

/// The error of a response with an unexpected status, for the log.
pub fn unexpected_status(response: ClientResponse) -> ClientError {
    let status = response.status;
    let body = response.body.into_pieces().0.concat();
    let body = String::from_utf8_lossy(body.get(..MAX_REASON_BYTES).unwrap_or(&body)).into_owned();
    ClientError::Failed(format!("status {status}: {body}"))
}
