//! Pure: the progress of a step without a terminal: prints each change of a sentence once.

use std::collections::BTreeMap;
use std::time::Duration;

use super::frame::sentence;
use super::line::{Line, Sign};
use super::tracker::Table;

/// The output of programs changes many times a second: it is said so often at most.
const ACTIVITY_INTERVAL: Duration = Duration::from_secs(10);
/// After this time without output, a line shows that the step still runs.
const SILENCE_LIMIT: Duration = Duration::from_secs(30);
/// The longest line.
const WIDTH: usize = 180;

/// What has been said of a step so far.
#[derive(Debug, Default)]
pub struct PlainProgress {
    sentences: BTreeMap<String, String>,
    activity: String,
    last: Duration,
}

impl PlainProgress {
    /// The lines to print now.
    pub fn tick(&mut self, title: &str, activity: &str, table: &Table, now: Duration) -> Vec<Line> {
        let mut lines = self.changes(table);
        let silence = now.saturating_sub(self.last);
        let news = table.entries.is_empty() && activity != self.activity && silence >= ACTIVITY_INTERVAL;
        if lines.is_empty() && (news || silence >= SILENCE_LIMIT) {
            activity.clone_into(&mut self.activity);
            let text = format!("{title} ({} s) {activity}", now.as_secs());
            lines.push(Line::below(Sign::Waiting, text.trim_end()).fitting(WIDTH));
        }
        if !lines.is_empty() {
            self.last = now;
        }
        lines
    }

    /// The objects whose sentence is another one than the last that was said.
    pub fn changes(&mut self, table: &Table) -> Vec<Line> {
        let mut lines = Vec::new();
        for entry in &table.entries {
            let sentence = sentence(entry);
            if self.sentences.get(&entry.row.title) != Some(&sentence) {
                lines.push(Line::below(entry.row.state.into(), &sentence).fitting(WIDTH));
                self.sentences.insert(entry.row.title.clone(), sentence);
            }
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::row::{Row, RowState};

    fn said(plain: &mut PlainProgress, activity: &str, table: &Table, second: u64) -> Vec<String> {
        let lines = plain.tick("ready", activity, table, Duration::from_secs(second));
        lines.into_iter().map(|line| line.text).collect()
    }

    #[test]
    fn each_change_is_said_once_and_silence_is_broken_after_a_while() {
        let row = |reason: &str| Row {
            title: "Deployment `app`".into(),
            state: RowState::Waiting,
            ready: Some((0, 1)),
            reason: reason.into(),
        };
        let (mut plain, mut table) = (PlainProgress::default(), Table::default());
        table.update(vec![row("a")], Duration::ZERO);
        assert_eq!(said(&mut plain, "", &table, 1), ["Deployment `app` 0/1: a"]);
        for second in 2..31 {
            assert!(said(&mut plain, "", &table, second).is_empty(), "{second}");
        }
        assert_eq!(said(&mut plain, "still a", &table, 31), ["ready (31 s) still a"]);
        table.update(vec![row("b")], Duration::ZERO);
        assert_eq!(said(&mut plain, "", &table, 32), ["Deployment `app` 0/1: b"]);
        assert!(said(&mut plain, "", &table, 61).is_empty());
        assert_eq!(said(&mut plain, "", &table, 62), ["ready (62 s)"]);
    }

    #[test]
    fn the_output_of_a_program_is_not_repeated_line_by_line() {
        let (mut plain, table) = (PlainProgress::default(), Table::default());
        let lines: Vec<String> = (1..=40)
            .flat_map(|second| said(&mut plain, &format!("compiling {second}"), &table, second))
            .collect();
        assert_eq!(
            lines,
            [
                "ready (10 s) compiling 10",
                "ready (20 s) compiling 20",
                "ready (30 s) compiling 30",
                "ready (40 s) compiling 40"
            ]
        );
    }
}
