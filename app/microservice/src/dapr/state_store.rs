//! Values by key: <https://docs.dapr.io/reference/api/state_api/>.

use hyper::body::Bytes;
use hyper::StatusCode;

use super::peer::unexpected_status;
use super::{Peer, Sidecar};
use crate::client::ClientError;
use crate::memory::Memory;
use crate::trace::Trace;

/// A state store behind the sidecar.
#[derive(Debug)]
pub struct StateStore {
    peer: Peer,
}

impl StateStore {
    /// The state store of this name.
    pub fn new(sidecar: Sidecar, name: &str, memory: Memory) -> StateStore {
        StateStore {
            peer: Peer::new(sidecar.state(name), memory),
        }
    }

    /// The value of a key, as JSON. A key consists of letters, digits and `-`, because it is a part of a path.
    pub async fn get(&self, key: &str, trace: &Trace) -> Result<Option<Bytes>, ClientError> {
        let response = self.peer.get(&format!("/{key}"), trace).await?;
        match response.status {
            StatusCode::OK => Ok(Some(response.body.into_pieces().0.concat().into())),
            StatusCode::NO_CONTENT => Ok(None),
            _ => Err(unexpected_status(response)),
        }
    }

    /// Sets the value of a key, which is JSON.
    pub async fn put(&self, key: &str, json: &str, trace: &Trace) -> Result<(), ClientError> {
        let body = format!(r#"[{{"key":"{key}","value":{json}}}]"#);
        let response = self.peer.post(body.into(), trace).await?;
        if response.status.is_success() {
            Ok(())
        } else {
            Err(unexpected_status(response))
        }
    }

    /// Sets the value of a key if it has none. The first of several concurrent writes wins.
    pub async fn put_if_absent(&self, key: &str, json: &str) -> Result<(), ClientError> {
        let options = r#"{"concurrency":"first-write"}"#;
        let body = format!(r#"[{{"key":"{key}","value":{json},"options":{options}}}]"#);
        let response = self.peer.post(body.into(), &Trace::default()).await?;
        match response.status {
            // The key has a value.
            StatusCode::CONFLICT => Ok(()),
            status if status.is_success() => Ok(()),
            _ => Err(unexpected_status(response)),
        }
    }
}
