//! Sequence numbers that were passed without an event. They are given before a change is committed: an event may come there
//! after one with a higher number has been sent, and has to be sent before what follows it of its own order.

use std::time::{Duration, Instant};

/// How long a number is looked for: longer than any statement of this service, and the commit after it, may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// How many numbers before the first event that this replica sees are looked for.
const BEFORE_FIRST: i64 = 1_000;
/// The most ranges that are looked for.
const MOST: usize = 100;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Range {
    first: i64,
    last: i64,
    since: Instant,
}

/// What was passed.
#[derive(Debug, Default)]
pub struct Unseen {
    /// The highest number that an event had.
    highest: Option<i64>,
    ranges: Vec<Range>,
}

impl Unseen {
    /// Takes note of an event that is there. Those of a page come in their order.
    pub fn see(&mut self, sequence: i64, now: Instant) {
        let highest = self.highest.unwrap_or((sequence - 1 - BEFORE_FIRST).max(0));
        if sequence <= highest {
            self.remove(sequence);
            return;
        }
        if sequence > highest + 1 {
            self.ranges.push(Range {
                first: highest + 1,
                last: sequence - 1,
                since: now,
            });
        }
        self.highest = Some(sequence);
    }

    fn remove(&mut self, sequence: i64) {
        let Some(index) = self
            .ranges
            .iter()
            .position(|range| (range.first..=range.last).contains(&sequence))
        else {
            return;
        };
        let Range { first, last, since } = self.ranges.swap_remove(index);
        let parts = [(first, sequence - 1), (sequence + 1, last)];
        let parts = parts.into_iter().filter(|(first, last)| first <= last);
        self.ranges
            .extend(parts.map(|(first, last)| Range { first, last, since }));
    }

    /// The ranges up to a number in which an event may still come.
    pub fn ranges_up_to(&mut self, sequence: i64, now: Instant) -> Vec<(i64, i64)> {
        self.ranges
            .retain(|range| now.saturating_duration_since(range.since) < PATIENCE);
        if self.ranges.len() > MOST {
            self.ranges.sort_by_key(|range| range.since);
            self.ranges.drain(..self.ranges.len() - MOST);
        }
        let before = self.ranges.iter().filter(|range| range.first <= sequence);
        let mut before: Vec<_> = before.map(|range| (range.first, range.last.min(sequence))).collect();
        before.sort_unstable();
        before
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_passed_is_looked_for_until_it_is_there_or_cannot_come() {
        let now = Instant::now();
        let mut unseen = Unseen::default();
        for sequence in [2, 3, 7, 9] {
            unseen.see(sequence, now);
        }
        assert_eq!(unseen.ranges_up_to(9, now), [(1, 1), (4, 6), (8, 8)]);
        // The walk itself comes to those behind its place.
        assert_eq!(unseen.ranges_up_to(5, now), [(1, 1), (4, 5)]);
        unseen.see(5, now);
        unseen.see(8, now);
        assert_eq!(unseen.ranges_up_to(9, now), [(1, 1), (4, 4), (6, 6)]);
        assert_eq!(unseen.ranges_up_to(9, now + PATIENCE), []);
        // Of a table that has been in use for long, not all that was ever sent.
        let mut unseen = Unseen::default();
        unseen.see(5_000_000, now);
        assert_eq!(unseen.ranges_up_to(5_000_000, now), [(4_999_000, 4_999_999)]);
        for sequence in 1..=300 {
            unseen.see(5_000_000 + 2 * sequence, now);
        }
        assert_eq!(unseen.ranges_up_to(i64::MAX, now).len(), MOST);
    }
}
