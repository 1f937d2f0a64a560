//! What is recorded of the events that the receiver has not accepted.

use std::collections::HashMap;

use microservice::log::{self, Level};

use super::scan::{OutboxScan, MAX_ATTEMPTS};
use crate::event::Event;

/// The failures of a page.
#[derive(Debug, Default)]
pub struct Failures {
    /// The sequence numbers of events whose failed attempt counts, by the error.
    pub attempts: HashMap<String, Vec<i64>>,
    /// The sequence numbers of events that become dead letters.
    pub dead_letters: Vec<i64>,
    /// Why the receiver may accept nothing at the moment.
    pub reason: Option<String>,
}

impl Failures {
    /// Adds an event whose failure counts as an attempt.
    pub fn add_confirmed(&mut self, scan: &mut OutboxScan, event: &Event, error: String) {
        self.block(scan, event, event.attempts + 1, &error, None);
        self.attempts.entry(error).or_default().push(event.sequence);
    }

    /// Adds an event whose failure does not count yet, because the receiver may accept no events at all.
    pub fn add_unconfirmed(&mut self, scan: &mut OutboxScan, event: &Event, error: String) {
        self.block(scan, event, event.attempts, &error, Some(error.clone()));
        self.reason.get_or_insert(error);
    }

    /// Blocks the order of the event, or makes it a dead letter after its last attempt.
    fn block(
        &mut self,
        scan: &mut OutboxScan,
        event: &Event,
        attempts: u32,
        error: &str,
        unconfirmed_error: Option<String>,
    ) {
        if attempts < MAX_ATTEMPTS {
            scan.block(event, attempts, unconfirmed_error);
            return;
        }
        self.dead_letters.push(event.sequence);
        scan.unblock(event);
        let (id, order) = (&event.id, event.order_id);
        let message = format!("event {id} of order {order} is set aside after {attempts} attempts: {error}");
        log::event(Level::Error, &message);
    }
}
