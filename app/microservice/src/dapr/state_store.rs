//! Values by key: <https://docs.dapr.io/reference/api/state_api/>.

use hyper::body::Bytes;
use hyper::StatusCode;

use super::peer::refusal;
use super::{Peer, Sidecar, Trace};
use crate::client::ClientError;
use crate::memory::Memory;

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

    /// The value of a key, as JSON. A key is a part of a path: letters, digits and `-`.
    pub async fn get(&self, key: &str, trace: &Trace) -> Result<Option<Bytes>, ClientError> {
        let answer = self.peer.get(&format!("/{key}"), trace).await?;
        match answer.status {
            StatusCode::OK => Ok(Some(answer.body.into_pieces().0.concat().into())),
            StatusCode::NO_CONTENT => Ok(None),
            _ => Err(refusal(answer)),
        }
    }

    /// Sets the value of a key, in the place of an earlier one. The value is JSON.
    pub async fn put(&self, key: &str, json: &str, trace: &Trace) -> Result<(), ClientError> {
        let body = format!(r#"[{{"key":"{key}","value":{json}}}]"#);
        let answer = self.peer.post(body.into(), trace).await?;
        match answer.status.is_success() {
            true => Ok(()),
            false => Err(refusal(answer)),
        }
    }

    /// Sets the value of a key that has none. Of several who do so at once, the first is heard.
    pub async fn put_first(&self, key: &str, json: &str) -> Result<(), ClientError> {
        let options = r#"{"concurrency":"first-write"}"#;
        let body = format!(r#"[{{"key":"{key}","value":{json},"options":{options}}}]"#);
        let answer = self.peer.post(body.into(), &Trace::default()).await?;
        match answer.status {
            // Somebody else was first.
            StatusCode::CONFLICT => Ok(()),
            status if status.is_success() => Ok(()),
            _ => Err(refusal(answer)),
        }
    }
}
