//! The current time, and the start of the wait.

use jiff::{SignedDuration, Timestamp, TimestampRound, Unit};

use crate::Objects;

/// The current time, and the start of the wait: events before it may be about problems that are fixed since.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    /// Now, in the cluster.
    pub now: Timestamp,
    /// When the objects were applied, in the cluster.
    pub since: Timestamp,
    /// When the last of the pods that are being deleted is to be gone.
    pub(crate) last_deletion: Option<Timestamp>,
}

impl Clock {
    /// Kubernetes writes the times of events and pods in whole seconds: what happened in the second of the start counts
    /// as after it.
    pub fn new(now: Timestamp, since: Timestamp) -> Self {
        let round = TimestampRound::new()
            .smallest(Unit::Second)
            .mode(jiff::RoundMode::Floor);
        Self {
            now,
            since: since.round(round).unwrap_or(since),
            last_deletion: None,
        }
    }

    /// The same, with the last deletion of a pod. Looking for it visits all pods: that is done once, not for each of them.
    pub(crate) fn with_last_deletion(self, objects: &Objects) -> Self {
        let deletions = objects.pods.values();
        let deletions = deletions.filter_map(|pod| Some(pod.metadata.deletion_timestamp.as_ref()?.0));
        Self {
            last_deletion: deletions.max(),
            ..self
        }
    }

    /// How long ago that was.
    pub(crate) fn age(&self, time: Timestamp) -> SignedDuration {
        self.now.duration_since(time)
    }

    /// How long it has been waited for what began then.
    pub(crate) fn waited(&self, began: Option<Timestamp>) -> SignedDuration {
        self.age(began.map_or(self.since, |began| began.max(self.since)))
    }

    /// Whether a time is after the start of the wait.
    pub(crate) fn is_fresh(&self, time: Option<Timestamp>) -> bool {
        time.is_some_and(|time| time >= self.since)
    }
}
