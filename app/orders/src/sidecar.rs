//! Information about the Dapr sidecar, for the page.

use microservice::client::ClientError;
use microservice::dapr::{Peer, Sidecar};
use microservice::http::{Code, Problem, Response};
use microservice::log::{self, Level};
use microservice::memory::{Exhausted, Memory};
use microservice::trace::Trace;
use serde::{Deserialize, Serialize};

use hyper::StatusCode;

/// The sidecar does not respond at the moment.
const SIDECAR_UNAVAILABLE: Code = Code::new("sidecar_unavailable", StatusCode::SERVICE_UNAVAILABLE);

/// Reads the metadata of the sidecar.
#[derive(Debug)]
pub struct SidecarInfo {
    peer: Peer,
}

/// The part of <https://docs.dapr.io/reference/api/metadata_api/> that is passed on.
#[derive(Debug, Deserialize, Serialize)]
struct Metadata {
    #[serde(rename(deserialize = "id"))]
    app_id: String,
    #[serde(rename(deserialize = "runtimeVersion"), default)]
    version: String,
    #[serde(default)]
    components: Vec<Component>,
}

#[derive(Debug, Deserialize, Serialize)]
struct Component {
    name: String,
    #[serde(rename = "type")]
    kind: String,
}

impl SidecarInfo {
    /// For this sidecar.
    pub fn new(sidecar: Sidecar, memory: Memory) -> SidecarInfo {
        SidecarInfo {
            peer: Peer::new(sidecar.metadata(), memory),
        }
    }

    /// The response with the app id, the version and the components.
    pub async fn describe(&self) -> Result<Response, Problem> {
        let reason = match self.peer.get("", &Trace::default()).await {
            Ok(response) if response.status.is_success() => {
                let body = response.body.into_pieces().0.concat();
                match serde_json::from_slice::<Metadata>(&body) {
                    // Strings always have a JSON form.
                    Ok(metadata) => return Ok(Response::json(serde_json::to_string(&metadata).unwrap_or_default())),
                    Err(error) => error.to_string(),
                }
            }
            Ok(response) => format!("status {}", response.status),
            Err(ClientError::Busy | ClientError::NoMemory) => return Err(Exhausted.into()),
            Err(failure) => failure.to_string(),
        };
        log::event(Level::Warn, &format!("the sidecar does not tell what it is: {reason}"));
        Err(Problem::new(
            SIDECAR_UNAVAILABLE,
            "the sidecar does not answer just now",
        ))
    }
}
