//! Pure: the objects that a step waits for, and how long each has taken.

use std::collections::BTreeMap;
use std::time::Duration;

use super::row::{Row, RowState};

/// The objects that a step waits for, in the order in which the step names them.
#[derive(Debug, Default)]
pub struct Table {
    /// One entry an object.
    pub entries: Vec<Entry>,
}

/// An object and its times, counted from the start of the step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// How far it is.
    pub row: Row,
    /// When it was first heard of.
    since: Duration,
    /// When it became ready, or failed.
    until: Option<Duration>,
}

impl Entry {
    /// Its duration, until now or its end.
    pub fn time(&self, now: Duration) -> Duration {
        self.until.unwrap_or(now).saturating_sub(self.since)
    }
}

impl Table {
    /// Updates the rows. Returns those that are new or have changed.
    pub fn update(&mut self, rows: Vec<Row>, now: Duration) -> Vec<Row> {
        let known = std::mem::take(&mut self.entries);
        let mut known: BTreeMap<String, Entry> = known
            .into_iter()
            .map(|entry| (entry.row.title.clone(), entry))
            .collect();
        let mut changed = Vec::new();
        for row in rows {
            let before = known.remove(&row.title);
            if before.as_ref().is_none_or(|before| before.row != row) {
                changed.push(row.clone());
            }
            let since = before.as_ref().map_or(now, |before| before.since);
            let until = match row.state {
                RowState::Waiting => None,
                RowState::Done | RowState::Failed => before.and_then(|before| before.until).or(Some(now)),
            };
            self.entries.push(Entry { row, since, until });
        }
        changed
    }

    /// How many objects are in each state: failed, waiting, done.
    pub fn counts(&self) -> [usize; 3] {
        [RowState::Failed, RowState::Waiting, RowState::Done]
            .map(|state| self.entries.iter().filter(|entry| entry.row.state == state).count())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(title: &str, state: RowState, reason: &str) -> Row {
        Row {
            title: title.to_owned(),
            state,
            ready: None,
            reason: reason.to_owned(),
        }
    }

    #[test]
    fn only_changes_are_told_and_times_stop_when_an_object_is_there() {
        let seconds = Duration::from_secs;
        let mut table = Table::default();
        let (a, b) = (row("a", RowState::Waiting, "x"), row("b", RowState::Waiting, ""));
        assert_eq!(
            table.update(vec![a.clone(), b.clone()], seconds(1)),
            [a.clone(), b.clone()]
        );
        assert_eq!(table.update(vec![a.clone(), b.clone()], seconds(2)), []);
        let done = row("b", RowState::Done, "");
        assert_eq!(table.update(vec![a.clone(), done.clone()], seconds(4)).len(), 1);
        assert_eq!(table.update(vec![a, done], seconds(6)), []);
        let times: Vec<Duration> = table.entries.iter().map(|entry| entry.time(seconds(9))).collect();
        assert_eq!(times, [seconds(8), seconds(3)]);
        assert_eq!(table.counts(), [0, 1, 1]);
        // What falls back is waited for again, and what is no longer named is gone.
        table.update(vec![b], seconds(7));
        assert_eq!(table.entries[0].time(seconds(9)), seconds(8));
        assert_eq!(table.counts(), [0, 1, 0]);
    }
}
