//! Gaps in the sequence numbers of the outbox. A number is allocated before its transaction commits, so an event may
//! appear in a gap after an event with a higher number has been sent. It must then be sent before later events of the
//! same order.

use std::time::{Duration, Instant};

/// How long a gap is queried: longer than any statement of this service with its commit may take.
const GAP_LIFETIME: Duration = Duration::from_secs(30);
/// The size of the gap that is assumed before the first event.
const INITIAL_GAP: i64 = 1_000;
/// The most ranges of missing numbers; the newest are kept.
const MAX_RANGES: usize = 100;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Range {
    first: i64,
    last: i64,
    since: Instant,
}

/// The gaps so far.
#[derive(Debug, Default)]
pub struct SequenceGaps {
    /// The highest sequence number so far.
    highest: Option<i64>,
    ranges: Vec<Range>,
}

impl SequenceGaps {
    /// Records the sequence number of an event. Events of a page are recorded in ascending order.
    pub fn record(&mut self, sequence: i64, now: Instant) {
        let highest = self.highest.unwrap_or((sequence - 1 - INITIAL_GAP).max(0));
        if sequence <= highest {
            self.split_gap(sequence);
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

    fn split_gap(&mut self, sequence: i64) {
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

    /// The ranges up to this number in which an event may still appear.
    pub fn ranges_up_to(&mut self, sequence: i64, now: Instant) -> Vec<(i64, i64)> {
        self.ranges
            .retain(|range| now.saturating_duration_since(range.since) < GAP_LIFETIME);
        if self.ranges.len() > MAX_RANGES {
            self.ranges.sort_by_key(|range| range.since);
            self.ranges.drain(..self.ranges.len() - MAX_RANGES);
        }
        let matching = self.ranges.iter().filter(|range| range.first <= sequence);
        let mut matching: Vec<_> = matching.map(|range| (range.first, range.last.min(sequence))).collect();
        matching.sort_unstable();
        matching
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_passed_is_looked_for_until_it_is_there_or_cannot_come() {
        let now = Instant::now();
        let mut gaps = SequenceGaps::default();
        for sequence in [2, 3, 7, 9] {
            gaps.record(sequence, now);
        }
        assert_eq!(gaps.ranges_up_to(9, now), [(1, 1), (4, 6), (8, 8)]);
        // Higher numbers are read by the scan.
        assert_eq!(gaps.ranges_up_to(5, now), [(1, 1), (4, 5)]);
        gaps.record(5, now);
        gaps.record(8, now);
        assert_eq!(gaps.ranges_up_to(9, now), [(1, 1), (4, 4), (6, 6)]);
        assert_eq!(gaps.ranges_up_to(9, now + GAP_LIFETIME), []);
        // In a table that has been in use for long, not all numbers below the first one are a gap.
        let mut gaps = SequenceGaps::default();
        gaps.record(5_000_000, now);
        assert_eq!(gaps.ranges_up_to(5_000_000, now), [(4_999_000, 4_999_999)]);
        for sequence in 1..=300 {
            gaps.record(5_000_000 + 2 * sequence, now);
        }
        assert_eq!(gaps.ranges_up_to(i64::MAX, now).len(), MAX_RANGES);
    }
}
