//! The Dapr sidecar beside this process, where `DAPR_HTTP_PORT` names its port: other services, topics and state are
//! reached through it alone. Nothing but plain HTTP on the loopback address: <https://docs.dapr.io/reference/api/>.
//!
//! - [`Sidecar`] (pure): the paths of its API, as endpoints of a [`client`](crate::client).
//! - [`Peer`] (edge): questions that are asked again while the sidecar, or who is behind it, is away.
//! - [`Upstream`] (edge): a service to which requests of clients are forwarded.
//! - [`StateStore`] (edge): values by key.
//! - [`AppToken`] (pure): proof that a request comes from the own sidecar.

mod app_token;
mod peer;
mod state_store;
mod upstream;

use hyper::header::{HeaderName, HeaderValue};
use hyper::HeaderMap;

pub use app_token::AppToken;
pub use peer::Peer;
pub use state_store::StateStore;
pub use upstream::Upstream;

use crate::client::Endpoint;

/// The sidecar, by its port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sidecar {
    port: u16,
}

impl Sidecar {
    /// The sidecar that listens on this port of the loopback address.
    pub fn new(port: u16) -> Sidecar {
        Sidecar { port }
    }

    /// A path of the service with this app id.
    pub fn invocation(self, app_id: &str, path: &str) -> Endpoint {
        self.endpoint(format!("invoke/{app_id}/method/{path}"))
    }

    /// A topic, to which events are POSTed as CloudEvents.
    pub fn topic(self, pubsub: &str, topic: &str) -> Endpoint {
        self.endpoint(format!("publish/{pubsub}/{topic}"))
    }

    /// A state store. Each app id has keys of its own there.
    pub fn state(self, store: &str) -> Endpoint {
        self.endpoint(format!("state/{store}"))
    }

    /// What the sidecar says of itself: its app id, its version, its components.
    pub fn metadata(self) -> Endpoint {
        self.endpoint("metadata".to_owned())
    }

    fn endpoint(self, path: String) -> Endpoint {
        Endpoint::loopback(self.port, format!("/v1.0/{path}"))
    }
}

/// The W3C trace context of a request, which goes along with what is asked of others for its sake:
/// <https://www.w3.org/TR/trace-context/>.
#[derive(Clone, Debug, Default)]
pub struct Trace(Vec<(HeaderName, HeaderValue)>);

impl Trace {
    /// The trace context among these headers, if there is one. What is longer than anybody has to hand on is left out: a
    /// sidecar refuses a request whose head is too large, which would be laid at its door.
    pub fn from_headers(headers: &HeaderMap) -> Trace {
        /// <https://www.w3.org/TR/trace-context/#tracestate-limits>
        const LONGEST: usize = 512;
        let names = ["traceparent", "tracestate"].map(HeaderName::from_static);
        let found = names.into_iter().filter_map(|name| {
            let value = headers.get(&name).filter(|value| value.len() <= LONGEST)?.clone();
            Some((name, value))
        });
        Trace(found.collect())
    }
}

#[cfg(test)]
mod tests;
