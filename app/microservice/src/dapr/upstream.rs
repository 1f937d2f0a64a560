//! Requests of clients that are passed on.

use std::time::Duration;

use hyper::body::Bytes;
use hyper::header::{HeaderValue, CONTENT_TYPE};
use hyper::Method;

use crate::client::{Client, ClientError, ClientResponse, Endpoint};
use crate::memory::Memory;
use crate::trace::Trace;

/// A service behind the sidecar to which requests of clients are forwarded.
#[derive(Debug)]
pub struct Upstream {
    client: Client,
}

impl Upstream {
    /// The service at this endpoint, which must answer within a time.
    pub fn new(endpoint: Endpoint, limit: Duration, memory: Memory) -> Upstream {
        Upstream {
            client: Client::new(endpoint, limit, memory),
        }
    }

    /// Forwards a request to the endpoint's path and what follows it. It is not repeated when there is no answer, since it
    /// may change something: that is for the client to decide.
    ///
    /// # Errors
    /// When there is no answer in time.
    pub async fn forward(
        &self,
        method: Method,
        rest: &str,
        json: Bytes,
        trace: &Trace,
    ) -> Result<ClientResponse, ClientError> {
        let target = format!("{}{rest}", self.client.path());
        let mut headers: Vec<_> = trace.headers().collect();
        if !json.is_empty() {
            headers.push((CONTENT_TYPE, HeaderValue::from_static("application/json")));
        }
        self.client.request(method, &target, &headers, &json).await
    }
}
