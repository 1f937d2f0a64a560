//! The pricing service, which completes the price of an order.

use hyper::StatusCode;
use microservice::client::{ClientError, ClientResponse, Endpoint};
use microservice::dapr::Peer;
use microservice::http::{Problem, SERVED_BY};
use microservice::log::{self, Level};
use microservice::memory::{Exhausted, Memory};
use microservice::trace::Trace;
use serde::Deserialize;

use crate::http::{INVALID_ORDER, PRICING_UNAVAILABLE};
use crate::order::{Draft, Price};

/// The pricing service.
#[derive(Debug)]
pub struct Pricing {
    peer: Peer,
}

/// A price, and the replica that computed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PricingResult {
    /// The price.
    pub price: Price,
    /// The replica that computed it.
    pub instance: String,
}

impl Pricing {
    /// The pricing service at this endpoint.
    pub fn new(endpoint: Endpoint, memory: Memory) -> Pricing {
        Pricing {
            peer: Peer::new(endpoint, memory),
        }
    }

    /// Requests the price of an order. The request changes nothing, so it is retried.
    pub async fn compute_price(&self, draft: &Draft, trace: &Trace) -> Result<PricingResult, Problem> {
        let response = match self.peer.post(draft.pricing_request().into(), trace).await {
            Ok(response) => response,
            Err(ClientError::Busy | ClientError::NoMemory) => return Err(Exhausted.into()),
            Err(failure) => {
                return Err(pricing_unavailable(
                    "the pricing service does not answer",
                    &failure.to_string(),
                ))
            }
        };
        let instance = responding_instance(&response);
        let status = response.status;
        let body = response.body.into_pieces().0.concat();
        match status {
            StatusCode::OK => match Price::read(&body) {
                Some(price) => Ok(PricingResult { price, instance }),
                None => Err(pricing_unavailable(
                    "what answers in its place names no price",
                    "no price in the answer",
                )),
            },
            StatusCode::UNPROCESSABLE_ENTITY => {
                let message = error_message(&body).unwrap_or_else(|| "it has no price".to_owned());
                Err(Problem::new(
                    INVALID_ORDER,
                    format!("the order cannot be priced: {message}"),
                ))
            }
            status => {
                let detail = format!("status {status}: {}", error_message(&body).unwrap_or_default());
                let reason = match status {
                    StatusCode::SERVICE_UNAVAILABLE => "the pricing service has no rules to go by",
                    _ => "the pricing service does not answer",
                };
                Err(pricing_unavailable(reason, &detail))
            }
        }
    }
}

/// Logs the details, which may name hosts of the cluster; the client gets the reason only.
fn pricing_unavailable(reason: &str, detail: &str) -> Problem {
    log::event(Level::Warn, &format!("an order cannot be priced: {reason}: {detail}"));
    let message = format!("{reason}; nothing was stored: try again, or give shipping and tax");
    Problem::new(PRICING_UNAVAILABLE, message)
}

fn responding_instance(response: &ClientResponse) -> String {
    let served_by = response.headers.get(SERVED_BY).and_then(|value| value.to_str().ok());
    let name = served_by.and_then(|text| text.split(';').next());
    name.unwrap_or_default().trim().to_owned()
}

/// The message of an error of this project's services, or of a sidecar.
fn error_message(body: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Body {
        error: Option<Message>,
        message: Option<String>,
    }
    #[derive(Deserialize)]
    struct Message {
        message: String,
    }
    let body: Body = serde_json::from_slice(body).ok()?;
    body.error.map(|error| error.message).or(body.message)
}
