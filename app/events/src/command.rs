//! The commands of the store, and their outcomes.

use crate::event::Event;

/// A page ends with the event that exceeds this size, whatever its limit, which bounds the memory of the service and of
/// clients.
pub const MAX_PAGE_BYTES: usize = 512 * 1024;

/// A command on the events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Store events, all or none. Duplicates are ignored.
    Store(Vec<Event>),
    /// Read events, the newest first.
    List {
        /// The most events to read.
        limit: usize,
        /// Only events that were stored before the one at this position.
        before: Option<u64>,
    },
}

/// The outcome of a [`Command`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The events are stored.
    Stored {
        /// The number of those that are not duplicates.
        new: usize,
    },
    /// The events read.
    Page(Page),
}

/// A page of the list of events, and the numbers of all events.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// Each event as it was received.
    pub events: Vec<String>,
    /// The position of the last event, if there are older ones.
    pub next: Option<u64>,
    /// The most frequent types, each with the number of its events.
    pub counts: Vec<(String, u64)>,
    /// The number of all events.
    pub total: u64,
}
