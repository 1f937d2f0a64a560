//! What the probe writes: two lines of JSON, `app/probe/src/main.rs` has their other end.

use serde::Deserialize;
use serde::de::DeserializeOwned;

/// What reaches the guest at once.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct GuestEnvironment {
    /// Its arguments.
    pub arguments: Vec<String>,
    /// The environment variable that the pod sets.
    pub variable: Option<String>,
    /// How long a round of the loop takes.
    pub round_nanoseconds: u64,
    /// How long after the container's process the guest began.
    pub start_milliseconds: Option<u64>,
    /// The most memory that the container has taken.
    pub memory_bytes: Option<u64>,
}

/// How far a connection came.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Network {
    /// The addresses of the name.
    pub resolved: Vec<String>,
    /// Whether one took a connection.
    pub connected: bool,
    /// What went wrong.
    pub error: Option<String>,
}

/// The first line of a log that reads as such an answer.
pub fn find<T: DeserializeOwned>(log: &str) -> Option<T> {
    log.lines().find_map(|line| serde_json::from_str(line).ok())
}
