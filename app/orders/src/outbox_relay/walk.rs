//! What one replica remembers while it walks through the outbox.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use super::unseen::Unseen;
use super::{FIRST_PAUSE, LONGEST_ASKED, MAX_ATTEMPTS};
use crate::event::Event;

/// The pause after the first attempt, doubled with each.
const FIRST_RETRY: Duration = Duration::from_secs(1);
/// The longest time for which an order is held up before its event is tried again.
const LONGEST_WAIT: Duration = Duration::from_secs(300);
/// The most orders that are held up at once.
const MOST_HELD: usize = 10_000;

/// An order whose first event was not taken: later ones wait for it.
#[derive(Clone, Debug)]
struct Held {
    sequence: i64,
    /// When it is tried again.
    due: Instant,
    /// Why it was not taken, where that does not count as an attempt yet: the receiver may take nothing at all.
    unproven: Option<String>,
    /// How often in a row the receiver had no time for it.
    delays: u32,
}

/// The place in the outbox, and what is held up before it.
#[derive(Debug)]
pub struct Walk {
    /// The last sequence number that was looked at.
    pub after: i64,
    /// When it began with the oldest.
    pub began: Instant,
    /// Whether nothing was sent since the walk began.
    pub is_idle: bool,
    /// The next pause while the receiver takes nothing.
    pub pause: Duration,
    /// When what waits was counted.
    pub counted: Option<Instant>,
    /// Whether the log says that some cannot be read.
    pub was_told_of_unreadable: bool,
    /// What was passed and may still come.
    pub unseen: Unseen,
    held: HashMap<i32, Held>,
}

impl Walk {
    /// Begins with the oldest.
    pub fn new() -> Walk {
        Walk {
            after: 0,
            began: Instant::now(),
            is_idle: true,
            pause: FIRST_PAUSE,
            counted: None,
            was_told_of_unreadable: false,
            unseen: Unseen::default(),
            held: HashMap::new(),
        }
    }

    /// Begins with the oldest again.
    pub fn begin(&mut self) {
        (self.after, self.began, self.is_idle) = (0, Instant::now(), true);
    }

    /// Where there is nothing else to send, what the receiver has not taken yet need not wait for it.
    pub fn end(&mut self) {
        if self.is_idle {
            let unproven = self.held.values_mut().filter(|held| held.unproven.is_some());
            unproven.for_each(|held| held.due = Instant::now());
        }
    }

    /// The events of a page that may be sent: none before an earlier one of its order.
    pub fn due(&self, page: Vec<Event>) -> Vec<Event> {
        let now = Instant::now();
        page.into_iter()
            .filter(|event| match self.held.get(&event.order_id) {
                None => true,
                Some(held) => held.sequence == event.sequence && held.due <= now,
            })
            .collect()
    }

    /// Holds up an order whose event was not taken. While nobody knows whether the receiver takes anything, others are
    /// tried before it again.
    pub fn hold(&mut self, event: &Event, attempts: u32, unproven: Option<String>) {
        let wait = match unproven {
            None => FIRST_RETRY * 2_u32.pow(attempts.clamp(1, MAX_ATTEMPTS) - 1),
            Some(_) => LONGEST_WAIT.min(FIRST_RETRY + self.pause * 16),
        };
        self.insert(event, wait, unproven, 0);
    }

    /// Holds up an order for whose event the receiver had no time. It may mean this one alone: others are sent before it when
    /// that time is over, for longer each time.
    pub fn delay(&mut self, event: &Event, wait: Duration) {
        const MOST_DOUBLINGS: u32 = 6;
        let delays = self.held.get(&event.order_id).map_or(0, |held| held.delays);
        let wait = wait.clamp(FIRST_RETRY, LONGEST_ASKED);
        let others_first = match delays {
            0 => Duration::ZERO,
            delays => LONGEST_WAIT.min(wait * 2_u32.pow((delays - 1).min(MOST_DOUBLINGS))),
        };
        self.insert(event, wait + others_first, None, delays.saturating_add(1));
    }

    fn insert(&mut self, event: &Event, wait: Duration, unproven: Option<String>, delays: u32) {
        let held = Held {
            sequence: event.sequence,
            due: Instant::now() + wait,
            unproven,
            delays,
        };
        self.held.insert(event.order_id, held);
        if self.held.len() > MOST_HELD {
            // It has not taken any event for long.
            self.held.clear();
            self.begin();
        }
    }

    /// Holds up an order no longer.
    pub fn release(&mut self, event: &Event) {
        self.held.remove(&event.order_id);
    }

    /// The receiver takes events: those that it did not take have failed by themselves. Returns them, by the reason.
    pub fn take_proven_failures(&mut self) -> HashMap<String, Vec<i64>> {
        let mut failed: HashMap<String, Vec<i64>> = HashMap::new();
        for held in self.held.values_mut() {
            if let Some(reason) = held.unproven.take() {
                held.due = Instant::now() + FIRST_RETRY;
                failed.entry(reason).or_default().push(held.sequence);
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
        }
    }

    fn due(walk: &Walk, events: &[Event]) -> Vec<i64> {
        walk.due(events.to_vec()).iter().map(|event| event.sequence).collect()
    }

    #[test]
    fn an_order_is_held_up_by_its_own_event_alone() {
        let events = [event(1, 8), event(2, 9), event(3, 8)];
        let mut walk = Walk::new();
        assert_eq!(due(&walk, &events), [1, 2, 3]);
        walk.hold(&events[0], 1, None);
        assert_eq!(due(&walk, &events), [2]);
        walk.release(&events[0]);
        assert_eq!(due(&walk, &events), [1, 2, 3]);
        walk.hold(&events[0], 0, Some("a reason".to_owned()));
        assert_eq!(due(&walk, &events), [2]);
        walk.end();
        assert_eq!(due(&walk, &events), [1, 2], "nothing else is there");
        assert_eq!(
            walk.take_proven_failures(),
            HashMap::from([("a reason".to_owned(), vec![1])])
        );
        assert!(walk.take_proven_failures().is_empty());
    }

    #[test]
    fn what_the_receiver_has_no_time_for_is_no_failure() {
        let event = event(1, 8);
        for (asked, first, last) in [
            (0, [1.0, 2.0, 3.0, 5.0], 65.0),
            (10, [10.0, 20.0, 30.0, 50.0], 310.0),
            // Between two pauses of all, others have their time.
            (300, [300.0, 600.0, 600.0, 600.0], 600.0),
            (u64::MAX, [300.0, 600.0, 600.0, 600.0], 600.0),
        ] {
            let mut walk = Walk::new();
            let mut waits = Vec::new();
            for _ in 0..12 {
                walk.delay(&event, Duration::from_secs(asked));
                let wait = walk.held[&8].due.saturating_duration_since(Instant::now());
                waits.push(wait.as_secs_f64().round());
            }
            assert_eq!(waits[..4], first);
            assert_eq!(waits.last(), Some(&last));
            assert!(walk.take_proven_failures().is_empty());
        }
    }
}
