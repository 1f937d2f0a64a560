//! Questions to whoever is behind the sidecar.

use std::time::Duration;

use hyper::body::Bytes;
use hyper::header::{HeaderValue, CONTENT_TYPE};
use hyper::{Method, StatusCode};
use tokio::time::{sleep, timeout};

use super::Trace;
use crate::client::{Client, ClientError, ClientResponse, Endpoint};
use crate::memory::Memory;

/// The time for one attempt, and for all of them.
const ATTEMPT: Duration = Duration::from_secs(2);
const ALL_ATTEMPTS: Duration = Duration::from_secs(8);
/// Pauses between the attempts: a sidecar that was killed is back within a second or three, and one whose pod is ended keeps
/// its connections for some seconds after its service.
const PAUSES: [Duration; 5] = [
    Duration::from_millis(150),
    Duration::from_millis(400),
    Duration::from_millis(1_000),
    Duration::from_millis(1_500),
    Duration::from_millis(1_500),
];
/// What a log says of a refusal at most, in bytes.
const LONGEST_REASON: usize = 300;

/// Somebody behind the sidecar, at one of its endpoints.
#[derive(Debug)]
pub struct Peer {
    client: Client,
}

impl Peer {
    /// Whoever is at this endpoint.
    pub fn new(endpoint: Endpoint, memory: Memory) -> Peer {
        Peer {
            client: Client::new(endpoint, ATTEMPT, memory),
        }
    }

    /// GETs the endpoint's path and what follows it. Asked again while there is no answer, or one of a gateway.
    pub async fn get(&self, rest: &str, trace: &Trace) -> Result<ClientResponse, ClientError> {
        self.ask(Method::GET, rest, Bytes::new(), trace).await
    }

    /// POSTs JSON to the endpoint's path. It may arrive several times: only for what changes nothing more then.
    pub async fn post(&self, json: Bytes, trace: &Trace) -> Result<ClientResponse, ClientError> {
        self.ask(Method::POST, "", json, trace).await
    }

    async fn ask(&self, method: Method, rest: &str, json: Bytes, trace: &Trace) -> Result<ClientResponse, ClientError> {
        let _permit = self.client.acquire_permit().await?;
        let target = format!("{}{rest}", self.client.path());
        let mut headers = trace.0.clone();
        if !json.is_empty() {
            headers.push((CONTENT_TYPE, HeaderValue::from_static("application/json")));
        }
        let attempts = async {
            for pause in PAUSES {
                match self.client.request(method.clone(), &target, &headers, &json).await {
                    Ok(answer) if !may_pass(answer.status) => return Ok(answer),
                    Err(ClientError::Busy) => return Err(ClientError::Busy),
                    Ok(_) | Err(_) => sleep(pause).await,
                }
            }
            self.client.request(method.clone(), &target, &headers, &json).await
        };
        timeout(ALL_ATTEMPTS, attempts).await.unwrap_or_else(|_| {
            let seconds = ALL_ATTEMPTS.as_secs();
            Err(ClientError::Failed(format!("no answer within {seconds} s")))
        })
    }
}

/// Whether the next attempt may end otherwise. With 500 a sidecar says that it does not reach whom it should.
fn may_pass(status: StatusCode) -> bool {
    matches!(status.as_u16(), 429 | 500 | 502 | 503 | 504)
}

/// What a refusal says, for the log.
pub fn refusal(answer: ClientResponse) -> ClientError {
    let status = answer.status;
    let body = answer.body.into_pieces().0.concat();
    let body = String::from_utf8_lossy(body.get(..LONGEST_REASON).unwrap_or(&body)).into_owned();
    ClientError::Failed(format!("status {status}: {body}"))
}
