//! Requests through the sidecar, with retries.

use std::time::Duration;

use hyper::body::Bytes;
use hyper::header::{HeaderValue, CONTENT_TYPE};
use hyper::{Method, StatusCode};
use tokio::time::{sleep, timeout};

use crate::client::{Client, ClientError, ClientResponse, Endpoint};
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
/// The most bytes of a response body in a log line.
const MAX_REASON_BYTES: usize = 300;

/// A service or a component behind the sidecar.
#[derive(Debug)]
pub struct Peer {
    client: Client,
}

impl Peer {
    /// A peer at this endpoint of the sidecar.
    pub fn new(endpoint: Endpoint, memory: Memory) -> Peer {
        Peer {
            client: Client::new(endpoint, ATTEMPT_TIMEOUT, memory),
        }
    }

    /// Sends a GET request to the endpoint's path with this suffix. Retried without a response, and with a transient
    /// status.
    pub async fn get(&self, path_suffix: &str, trace: &Trace) -> Result<ClientResponse, ClientError> {
        self.request_with_retry(Method::GET, path_suffix, Bytes::new(), trace)
            .await
    }

    /// Sends a POST request with JSON to the endpoint's path. Retried, so it must be idempotent.
    pub async fn post(&self, json: Bytes, trace: &Trace) -> Result<ClientResponse, ClientError> {
        self.request_with_retry(Method::POST, "", json, trace).await
    }

    async fn request_with_retry(
        &self,
        method: Method,
        path_suffix: &str,
        json: Bytes,
        trace: &Trace,
    ) -> Result<ClientResponse, ClientError> {
        let _permit = self.client.acquire_permit().await?;
        let target = format!("{}{path_suffix}", self.client.path());
        let mut headers: Vec<_> = trace.headers().collect();
        if !json.is_empty() {
            headers.push((CONTENT_TYPE, HeaderValue::from_static("application/json")));
        }
        let attempts = async {
            for delay in RETRY_DELAYS {
                match self.client.request(method.clone(), &target, &headers, &json).await {
                    Ok(response) if !is_transient(response.status) => return Ok(response),
                    Err(ClientError::Busy) => return Err(ClientError::Busy),
                    Ok(_) | Err(_) => sleep(delay).await,
                }
            }
            self.client.request(method.clone(), &target, &headers, &json).await
        };
        timeout(TOTAL_TIMEOUT, attempts).await.unwrap_or_else(|_| {
            let seconds = TOTAL_TIMEOUT.as_secs();
            Err(ClientError::Failed(format!("no answer within {seconds} s")))
        })
    }
}

/// Whether the status is worth a retry. A sidecar responds with 500 when it cannot reach the peer.
fn is_transient(status: StatusCode) -> bool {
    matches!(status.as_u16(), 429 | 500 | 502 | 503 | 504)
}

/// The error of a response with an unexpected status, for the log.
pub fn unexpected_status(response: ClientResponse) -> ClientError {
    let status = response.status;
    let body = response.body.into_pieces().0.concat();
    let body = String::from_utf8_lossy(body.get(..MAX_REASON_BYTES).unwrap_or(&body)).into_owned();
    ClientError::Failed(format!("status {status}: {body}"))
}
