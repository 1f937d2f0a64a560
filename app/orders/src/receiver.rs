//! Sends events to their receiver and classifies its responses.

use std::sync::Arc;
use std::time::Duration;

use microservice::client::{Client, ClientError, ClientResponse};
use microservice::signature::{Secret, SIGNATURE};
use microservice::trace::Trace;

use crate::event::{batch_as_json, Event, BATCH_MEDIA_TYPE, MEDIA_TYPE};

/// The pause after a 429 without `Retry-After`.
const DEFAULT_RETRY_AFTER: Duration = Duration::from_millis(500);

/// The outcome of sending an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// The receiver has stored it.
    Accepted,
    /// The receiver rejects this event, for this reason.
    Rejected(String),
    /// The receiver has not accepted it, for this reason. It may be because of the event, or it may accept no events at
    /// the moment.
    Failed(String),
    /// The receiver accepts nothing at the moment, for this reason, and requests a pause of this length.
    Busy(String, Duration),
    /// The receiver accepts nothing at the moment, for this reason.
    Unavailable(String),
}

/// The receiver of events.
///
/// With a shared secret, it is this project's events service: it accepts batches, and its responses must be signed.
/// From any other receiver, a 2xx status is enough:
/// <https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/http-webhook.md#22-delivery-response>.
#[derive(Debug)]
pub struct Receiver {
    client: Arc<Client>,
    secret: Option<Secret>,
}

impl Receiver {
    /// The receiver that this client connects to.
    pub fn new(client: Arc<Client>, secret: Option<Secret>) -> Receiver {
        Receiver { client, secret }
    }

    /// Whether it accepts several events in one request.
    pub fn accepts_batches(&self) -> bool {
        self.secret.is_some()
    }

    /// Sends one event, and its trace context as headers too: a Dapr sidecar continues that trace, and puts its own
    /// `traceparent` into an event without `traceid`.
    /// <https://github.com/dapr/components-contrib/blob/v1.16.0/pubsub/envelope.go>
    pub async fn send(&self, event: &Event) -> Delivery {
        self.post(MEDIA_TYPE, event.to_json(), &event.trace).await
    }

    /// Sends several events, of which all or none are accepted. Each has a trace context of its own, the request none.
    pub async fn send_batch(&self, events: &[Event]) -> Delivery {
        self.post(BATCH_MEDIA_TYPE, batch_as_json(events), &Trace::default())
            .await
    }

    async fn post(&self, media_type: &'static str, json: String, trace: &Trace) -> Delivery {
        let signature = self.secret.as_ref().map(|secret| secret.sign_request(json.as_bytes()));
        let response = self
            .client
            .post(media_type, json.into(), signature.as_deref(), trace)
            .await;
        match response {
            Ok(response) => self.classify_response(response, signature.as_deref().unwrap_or_default()),
            Err(failure @ (ClientError::Failed(_) | ClientError::TooLarge)) => Delivery::Failed(failure.to_string()),
            Err(failure) => Delivery::Unavailable(failure.to_string()),
        }
    }

    fn classify_response(&self, response: ClientResponse, request_signature: &str) -> Delivery {
        let status = response.status;
        let reason = format!("the receiver answers with status {status}");
        match status.as_u16() {
            200..=299 => {}
            400 | 413 | 422 => return Delivery::Rejected(reason),
            // 429 is about all requests: <https://www.rfc-editor.org/rfc/rfc6585#section-4>. A 503 without
            // `Retry-After` may be caused by this event.
            429 => return Delivery::Busy(reason, response.retry_after().unwrap_or(DEFAULT_RETRY_AFTER)),
            503 => {
                return match response.retry_after() {
                    Some(wait) => Delivery::Busy(reason, wait),
                    None => Delivery::Failed(reason),
                }
            }
            _ => return Delivery::Failed(reason),
        }
        let Some(secret) = &self.secret else {
            return Delivery::Accepted;
        };
        let signature = response.headers.get(SIGNATURE).and_then(|value| value.to_str().ok());
        let signature = signature.unwrap_or_default().to_owned();
        let body = response.body.into_pieces().0.concat();
        if secret.verify_response(request_signature, &body, &signature) {
            Delivery::Accepted
        } else {
            Delivery::Unavailable("whoever answers in the receiver's place does not share its secret".to_owned())
        }
    }
}
