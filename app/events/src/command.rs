//! What the service asks of its store, and what the store may answer.

use crate::event::Event;

/// A page holds no more events than this and the one that exceeds it, whatever its limit: the memory for it is bounded,
/// and so is what a client must be ready to read.
pub const MAX_PAGE_BYTES: usize = 512 * 1024;

/// One thing to do with the events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Store events, all or none, but for those that are there already.
    Store(Vec<Event>),
    /// Read events, the newest first.
    List {
        /// The most events to read.
        limit: usize,
        /// Only events that were stored before the one at this position.
        before: Option<u64>,
    },
}

/// What came of a [`Command`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The events are stored.
    Stored {
        /// How many of them were not there already.
        new: usize,
    },
    /// The events read.
    Page(Page),
}

/// A part of the list of events, and how many there are in all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// Each event as it was received.
    pub events: Vec<String>,
    /// The position of the last of them, where there are older ones.
    pub next: Option<u64>,
    /// The most frequent types, each with the number of its events.
    pub counts: Vec<(String, u64)>,
    /// The number of all events.
    pub total: u64,
}
