//! The pricing service, which completes the price of an order.

use hyper::StatusCode;
use microservice::client::{ClientError, ClientResponse, Endpoint};
use microservice::dapr::{Peer, Trace};
use microservice::http::Problem;
use microservice::log::{self, Level};
use microservice::memory::{Exhausted, Memory};
use serde::Deserialize;

use crate::http::{INVALID_ORDER, PRICING_UNAVAILABLE};
use crate::order::{Draft, Price};

/// The pricing service.
#[derive(Debug)]
pub struct Pricing {
    peer: Peer,
}

/// A price, and who computed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Priced {
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

    /// Asks for the price of what an order holds. To ask changes nothing, so it is asked again while nobody answers.
    pub async fn price(&self, draft: &Draft, trace: &Trace) -> Result<Priced, Problem> {
        let answer = match self.peer.post(draft.question().into(), trace).await {
            Ok(answer) => answer,
            Err(ClientError::Busy) => return Err(Exhausted.into()),
            Err(failure) => return Err(away("the pricing service does not answer", &failure.to_string())),
        };
        let instance = instance(&answer);
        let status = answer.status;
        let body = answer.body.into_pieces().0.concat();
        match status {
            StatusCode::OK => match Price::read(&body) {
                Some(price) => Ok(Priced { price, instance }),
                None => Err(away(
                    "what answers in its place names no price",
                    "no price in the answer",
                )),
            },
            StatusCode::UNPROCESSABLE_ENTITY => {
                let message = message(&body).unwrap_or_else(|| "it has no price".to_owned());
                Err(Problem::new(
                    INVALID_ORDER,
                    format!("the order cannot be priced: {message}"),
                ))
            }
            status => {
                let detail = format!("status {status}: {}", message(&body).unwrap_or_default());
                let reason = match status {
                    StatusCode::SERVICE_UNAVAILABLE => "the pricing service has no rules to go by",
                    _ => "the pricing service does not answer",
                };
                Err(away(reason, &detail))
            }
        }
    }
}

/// What the client is told names nobody inside of the cluster; the log does.
fn away(reason: &str, detail: &str) -> Problem {
    log::event(Level::Warn, &format!("an order cannot be priced: {reason}: {detail}"));
    let message = format!("{reason}; nothing was stored: try again, or give shipping and tax");
    Problem::new(PRICING_UNAVAILABLE, message)
}

fn instance(answer: &ClientResponse) -> String {
    let served_by = answer.headers.get("x-served-by").and_then(|value| value.to_str().ok());
    let name = served_by.and_then(|text| text.split(';').next());
    name.unwrap_or_default().trim().to_owned()
}

/// The sentence in an error of a service of ours, or of a sidecar.
fn message(body: &[u8]) -> Option<String> {
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
