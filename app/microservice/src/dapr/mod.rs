//! A client of the Dapr sidecar, through which a service reaches other services, topics and state. `DAPR_HTTP_PORT` is
//! the sidecar's port. Its API is plain HTTP on the loopback address: <https://docs.dapr.io/reference/api/>.
//!
//! - [`Sidecar`] (pure): the paths of its API, as endpoints of a [`client`](crate::client).
//! - [`Peer`] (edge): requests that are retried while the sidecar, or what is behind it, is unavailable.
//! - [`StateStore`] (edge): values by key.
//! - [`AppToken`] (pure): authenticates requests of the sidecar.

mod app_token;
mod peer;
mod state_store;

pub use app_token::AppToken;
pub use peer::Peer;
pub use state_store::StateStore;

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

    /// The endpoint for invoking a path of the service with this app id.
    pub fn invocation(self, app_id: &str, path: &str) -> Endpoint {
        self.endpoint(format!("invoke/{app_id}/method/{path}"))
    }

    /// The endpoint for publishing CloudEvents to a topic.
    pub fn topic(self, pubsub: &str, topic: &str) -> Endpoint {
        self.endpoint(format!("publish/{pubsub}/{topic}"))
    }

    /// The endpoint of a state store. Keys are private to the app id.
    pub fn state(self, store: &str) -> Endpoint {
        self.endpoint(format!("state/{store}"))
    }

    /// The endpoint of the sidecar's metadata: app id, version, components.
    pub fn metadata(self) -> Endpoint {
        self.endpoint("metadata".to_owned())
    }

    fn endpoint(self, path: String) -> Endpoint {
        Endpoint::loopback(self.port, format!("/v1.0/{path}"))
    }
}

#[cfg(test)]
mod tests;
