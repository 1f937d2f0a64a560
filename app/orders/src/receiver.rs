//! The receiver of events: what it is sent, and what its answers mean.

use std::sync::Arc;
use std::time::Duration;

use microservice::client::{Client, ClientError, ClientResponse};
use microservice::signature::{Secret, SIGNATURE};

use crate::event::{batch_as_json, Event, BATCH_MEDIA_TYPE, MEDIA_TYPE};

/// The time for which a receiver is left alone that says it is asked too often, and not for how long.
const USUAL_WAIT: Duration = Duration::from_millis(500);

/// What came of sending an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// The receiver has it.
    Taken,
    /// The receiver is there and will not have this event, for this reason.
    Refused(String),
    /// The receiver has not taken it, for this reason: perhaps because of the event, perhaps it takes nothing just now.
    Failed(String),
    /// The receiver can take nothing just now, for this reason, and asks not to be sent anything for this time.
    Busy(String, Duration),
    /// The receiver takes nothing just now, for this reason.
    Away(String),
}

/// The receiver of events.
///
/// One that shares a secret with us is our events service: it takes batches, and nobody else is believed to be it. Of any
/// other a 2xx is enough, as the specification says: <https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/http-webhook.md#22-delivery-response>.
#[derive(Debug)]
pub struct Receiver {
    client: Arc<Client>,
    secret: Option<Secret>,
}

impl Receiver {
    /// The receiver at the other end of this client.
    pub fn new(client: Arc<Client>, secret: Option<Secret>) -> Receiver {
        Receiver { client, secret }
    }

    /// Whether it takes several events at once.
    pub fn takes_batches(&self) -> bool {
        self.secret.is_some()
    }

    /// Sends one event.
    pub async fn send(&self, event: &Event) -> Delivery {
        self.post(MEDIA_TYPE, event.to_json()).await
    }

    /// Sends several events, all or none of which are taken.
    pub async fn send_batch(&self, events: &[Event]) -> Delivery {
        self.post(BATCH_MEDIA_TYPE, batch_as_json(events)).await
    }

    async fn post(&self, media_type: &'static str, json: String) -> Delivery {
        let signature = self.secret.as_ref().map(|secret| secret.sign_request(json.as_bytes()));
        match self.client.post(media_type, json.into(), signature.as_deref()).await {
            Ok(answer) => self.judge(answer, signature.as_deref().unwrap_or_default()),
            Err(ClientError::Failed(reason)) => Delivery::Failed(reason),
            Err(failure) => Delivery::Away(failure.to_string()),
        }
    }

    fn judge(&self, answer: ClientResponse, request: &str) -> Delivery {
        let status = answer.status;
        let reason = format!("the receiver answers with status {status}");
        match status.as_u16() {
            200..=299 => {}
            400 | 413 | 422 => return Delivery::Refused(reason),
            // Of these it speaks as a whole: <https://www.rfc-editor.org/rfc/rfc6585#section-4>. Without a time, 503 may be
            // about this event.
            429 => return Delivery::Busy(reason, answer.retry_after().unwrap_or(USUAL_WAIT)),
            503 => {
                return match answer.retry_after() {
                    Some(wait) => Delivery::Busy(reason, wait),
                    None => Delivery::Failed(reason),
                }
            }
            _ => return Delivery::Failed(reason),
        }
        let Some(secret) = &self.secret else {
            return Delivery::Taken;
        };
        let signature = answer.headers.get(SIGNATURE).and_then(|value| value.to_str().ok());
        let signature = signature.unwrap_or_default().to_owned();
        let body = answer.body.into_pieces().0.concat();
        match secret.verify_response(request, &body, &signature) {
            true => Delivery::Taken,
            false => Delivery::Away("whoever answers in the receiver's place does not share its secret".to_owned()),
        }
    }
}
