//! The state of a scan of the outbox: the position, and the orders that are blocked by an event that was not accepted.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use super::sequence_gaps::SequenceGaps;
use crate::event::Event;
use crate::store::{OutboxRow, MAX_PAGE_EVENTS};

/// The first backoff while the receiver accepts nothing; doubled with each further one.
pub const FIRST_BACKOFF: Duration = Duration::from_millis(100);
/// The number of failed attempts after which an event becomes a dead letter.
pub const MAX_ATTEMPTS: u32 = 5;
/// The longest pause that a receiver can request.
pub const MAX_REQUESTED_PAUSE: Duration = Duration::from_secs(300);
/// The delay after the first attempt; doubled with each further one.
const FIRST_RETRY_DELAY: Duration = Duration::from_secs(1);
/// The longest delay before an event is retried.
const MAX_RETRY_DELAY: Duration = Duration::from_secs(300);
/// The most orders that are blocked.
const MAX_BLOCKED_ORDERS: usize = 10_000;

/// An order whose oldest event was not accepted. Later ones must wait for it.
#[derive(Clone, Debug)]
struct BlockedOrder {
    sequence: i64,
    /// When the event is retried.
    retry_at: Instant,
    /// The error, while it does not count as a failed attempt yet, because the receiver may accept no events at all.
    unconfirmed_error: Option<String>,
    /// How often in a row the receiver asked to postpone it.
    postponements: u32,
}

/// A scan of the outbox, from the oldest event to the newest, again and again.
#[derive(Debug)]
pub struct OutboxScan {
    /// The last sequence number that was read.
    pub after: i64,
    /// When the current pass started.
    pub started_at: Instant,
    /// Whether nothing has been sent in the current pass.
    pub is_idle: bool,
    /// The next backoff while the receiver accepts nothing.
    pub backoff: Duration,
    /// When the backlog was last counted.
    pub backlog_counted_at: Option<Instant>,
    /// Whether events of unknown kinds have been logged.
    pub has_logged_unreadable: bool,
    /// Whether a row that cannot be read has been logged.
    pub has_logged_unreadable_row: bool,
    /// Sequence numbers at which events may still appear.
    pub gaps: SequenceGaps,
    blocked: HashMap<i32, BlockedOrder>,
}

impl OutboxScan {
    /// A scan that starts with the oldest event.
    pub fn new() -> OutboxScan {
        OutboxScan {
            after: 0,
            started_at: Instant::now(),
            is_idle: true,
            backoff: FIRST_BACKOFF,
            backlog_counted_at: None,
            has_logged_unreadable: false,
            has_logged_unreadable_row: false,
            gaps: SequenceGaps::default(),
            blocked: HashMap::new(),
        }
    }

    /// Starts the next pass.
    pub fn restart(&mut self) {
        (self.after, self.started_at, self.is_idle) = (0, Instant::now(), true);
    }

    /// Finishes a pass. If nothing was sent in it, unconfirmed failures are retried at once.
    pub fn finish_pass(&mut self) {
        if self.is_idle {
            let unconfirmed = self
                .blocked
                .values_mut()
                .filter(|blocked| blocked.unconfirmed_error.is_some());
            unconfirmed.for_each(|blocked| blocked.retry_at = Instant::now());
        }
    }

    /// Takes the next events: those that have appeared in gaps, then those of the page, as many as fit into one. What
    /// does not fit is read again, because an event must not be sent before those of a gap that was not read to its
    /// end. Returns the position at which the events can be read again, too.
    pub fn take_next(&mut self, late: Vec<OutboxRow>, mut page: Vec<OutboxRow>, now: Instant) -> (Vec<Event>, i64) {
        let start = late.first().map_or(self.after, |row| self.after.min(row.sequence - 1));
        page.truncate(MAX_PAGE_EVENTS.saturating_sub(late.len()));
        self.after = page.last().map_or(self.after, |row| row.sequence);
        let mut events = Vec::new();
        for row in late.into_iter().chain(page) {
            self.gaps.record(row.sequence, now);
            events.extend(row.event);
        }
        (events, start)
    }

    /// The events of a page that may be sent now: not those of blocked orders, except for the one that blocks it once
    /// its retry is due.
    pub fn select_sendable(&self, page: Vec<Event>) -> Vec<Event> {
        let now = Instant::now();
        page.into_iter()
            .filter(|event| match self.blocked.get(&event.order_id) {
                None => true,
                Some(blocked) => blocked.sequence == event.sequence && blocked.retry_at <= now,
            })
            .collect()
    }

    /// Blocks an order whose event was not accepted. While it is not known whether the receiver accepts any events,
    /// others are tried before the retry.
    pub fn block(&mut self, event: &Event, attempts: u32, unconfirmed_error: Option<String>) {
        let delay = match unconfirmed_error {
            None => FIRST_RETRY_DELAY * 2_u32.pow(attempts.clamp(1, MAX_ATTEMPTS) - 1),
            Some(_) => MAX_RETRY_DELAY.min(FIRST_RETRY_DELAY + self.backoff * 16),
        };
        self.insert(event, delay, unconfirmed_error, 0);
    }

    /// Blocks an order whose event the receiver asked to postpone. That may be about this event only: the delay grows
    /// each time, so that others are sent before it.
    pub fn postpone(&mut self, event: &Event, delay: Duration) {
        const MAX_DOUBLINGS: u32 = 6;
        let postponements = self
            .blocked
            .get(&event.order_id)
            .map_or(0, |blocked| blocked.postponements);
        let delay = delay.clamp(FIRST_RETRY_DELAY, MAX_REQUESTED_PAUSE);
        let extra_delay = match postponements {
            0 => Duration::ZERO,
            postponements => MAX_RETRY_DELAY.min(delay * 2_u32.pow((postponements - 1).min(MAX_DOUBLINGS))),
        };
        self.insert(event, delay + extra_delay, None, postponements.saturating_add(1));
    }

    fn insert(&mut self, event: &Event, delay: Duration, unconfirmed_error: Option<String>, postponements: u32) {
        let blocked = BlockedOrder {
            sequence: event.sequence,
            retry_at: Instant::now() + delay,
            unconfirmed_error,
            postponements,
        };
        self.blocked.insert(event.order_id, blocked);
        if self.blocked.len() > MAX_BLOCKED_ORDERS {
            // The receiver has not accepted any event for long.
            self.blocked.clear();
            self.restart();
        }
    }

    /// Unblocks an order.
    pub fn unblock(&mut self, event: &Event) {
        self.blocked.remove(&event.order_id);
    }

    /// Confirms the failures, because the receiver accepts other events. Returns their sequence numbers by error.
    pub fn confirm_failures(&mut self) -> HashMap<String, Vec<i64>> {
        let mut failed: HashMap<String, Vec<i64>> = HashMap::new();
        for blocked in self.blocked.values_mut() {
            if let Some(reason) = blocked.unconfirmed_error.take() {
                blocked.retry_at = Instant::now() + FIRST_RETRY_DELAY;
                failed.entry(reason).or_default().push(blocked.sequence);
            }
        }
        failed
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Kind;

    fn event(sequence: i64, order_id: i32) -> Event {
        Event {
            sequence,
            id: sequence.to_string(),
            kind: Kind::Created,
            time: String::new(),
            order_id,
            order: String::new(),
            attempts: 0,
            trace: Default::default(),
        }
    }

    /// Events of one order.
    fn rows(sequences: impl IntoIterator<Item = i64>) -> Vec<OutboxRow> {
        let row = |sequence| OutboxRow {
            sequence,
            event: Some(event(sequence, 8)),
        };
        sequences.into_iter().map(row).collect()
    }

    #[test]
    fn what_appears_in_a_gap_is_sent_to_its_end_before_what_follows_it() {
        let now = Instant::now();
        for (late, page, taken, start, after) in [
            (rows(0..0), rows(2001..2257), rows(2001..2257), 2000, 2256),
            (rows([7, 9]), rows(2001..2003), rows([7, 9, 2001, 2002]), 6, 2002),
            (rows([7, 9]), rows(0..0), rows([7, 9]), 6, 2000),
            // The page is cut, so that no more are sent at once than one page.
            (
                rows(1000..1250),
                rows(2001..2257),
                rows((1000..1250).chain(2001..2007)),
                999,
                2006,
            ),
            // There may be more in the gap.
            (rows(1000..1256), rows(2001..2257), rows(1000..1256), 999, 2000),
        ] {
            let mut scan = OutboxScan::new();
            scan.after = 2000;
            let (events, position) = scan.take_next(late, page, now);
            let taken: Vec<Event> = taken.into_iter().filter_map(|row| row.event).collect();
            assert!(events.len() <= MAX_PAGE_EVENTS);
            assert_eq!((events, position, scan.after), (taken, start, after));
        }
    }

    fn sendable(scan: &OutboxScan, events: &[Event]) -> Vec<i64> {
        scan.select_sendable(events.to_vec())
            .iter()
            .map(|event| event.sequence)
            .collect()
    }

    #[test]
    fn an_order_is_held_up_by_its_own_event_alone() {
        let events = [event(1, 8), event(2, 9), event(3, 8)];
        let mut scan = OutboxScan::new();
        assert_eq!(sendable(&scan, &events), [1, 2, 3]);
        scan.block(&events[0], 1, None);
        assert_eq!(sendable(&scan, &events), [2]);
        scan.unblock(&events[0]);
        assert_eq!(sendable(&scan, &events), [1, 2, 3]);
        scan.block(&events[0], 0, Some("a reason".to_owned()));
        assert_eq!(sendable(&scan, &events), [2]);
        scan.finish_pass();
        assert_eq!(sendable(&scan, &events), [1, 2], "nothing else is there");
        assert_eq!(
            scan.confirm_failures(),
            HashMap::from([("a reason".to_owned(), vec![1])])
        );
        assert!(scan.confirm_failures().is_empty());
    }

    #[test]
    fn what_the_receiver_has_no_time_for_is_no_failure() {
        let event = event(1, 8);
        for (requested, first, last) in [
            (0, [1.0, 2.0, 3.0, 5.0], 65.0),
            (10, [10.0, 20.0, 30.0, 50.0], 310.0),
            // Between two requested pauses, other events are sent.
            (300, [300.0, 600.0, 600.0, 600.0], 600.0),
            (u64::MAX, [300.0, 600.0, 600.0, 600.0], 600.0),
        ] {
            let mut scan = OutboxScan::new();
            let mut delays = Vec::new();
            for _ in 0..12 {
                scan.postpone(&event, Duration::from_secs(requested));
                let delay = scan.blocked[&8].retry_at.saturating_duration_since(Instant::now());
                delays.push(delay.as_secs_f64().round());
            }
            assert_eq!(delays[..4], first);
            assert_eq!(delays.last(), Some(&last));
            assert!(scan.confirm_failures().is_empty());
        }
    }
}
