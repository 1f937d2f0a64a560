//! How much is measured.

use serde::{Deserialize, Serialize};

/// How often, how long and with how many.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Plan {
    /// In each round every variant has its turn with every figure.
    pub rounds: u32,
    /// Starts of the runtime alone, in a round.
    pub starts: u32,
    /// Seconds of load for each figure.
    pub seconds: u32,
    /// How many pods “many at once” are.
    pub replicas: i32,
    /// Seconds that a pod goes on serving after it was told to end: `preStop.sleep`.
    pub drain_seconds: u32,
}

impl Plan {
    /// For figures that are shown to others. The drain is that of manifests/app.yaml.
    pub const FULL: Self = Self {
        rounds: 3,
        starts: 10,
        seconds: 4,
        replicas: 20,
        drain_seconds: 5,
    };
    /// Finds out whether everything can be measured.
    pub const QUICK: Self = Self {
        rounds: 1,
        starts: 3,
        seconds: 1,
        replicas: 3,
        drain_seconds: 2,
    };

    /// Whether its figures are for others. Within a single second a busy machine may refuse anything.
    pub fn is_representative(&self) -> bool {
        self.seconds > Self::QUICK.seconds
    }
}
