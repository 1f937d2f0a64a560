//! Pure: from what a step waits for to the lines of the live view, for a terminal of any size.

use std::time::Duration;

use unicode_width::UnicodeWidthStr;

use super::line::{Line, Sign};
use super::row::RowState;
use super::tracker::{Entry, Table};
use super::width::{pad_left, pad_right};

/// So many objects of a step leave a line of their own behind; of more, those that are there are counted only.
const MOST_RECORDED: usize = 50;

/// The size of a terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
}

/// The lines of a running step: never wider than the terminal, and one row less, which the cursor has.
pub fn frame(title: &str, activity: &str, table: &Table, now: Duration, size: Size) -> Vec<Line> {
    let width = size.width.saturating_sub(1);
    let activity = if table.entries.is_empty() { activity } else { "" };
    let head = format!("{title} ({} s) {activity}", now.as_secs());
    let mut lines = vec![Line::new(Sign::Waiting, head.trim_end()).fitting(width)];
    lines.extend(rows(table, now, width, size.height.saturating_sub(2)));
    lines
}

/// The lines that a step leaves behind, below its own.
pub fn record(table: &Table, now: Duration, width: usize) -> Vec<Line> {
    rows(table, now, width.saturating_sub(1), MOST_RECORDED)
}

/// An object without the rest of the table.
pub fn sentence(entry: &Entry) -> String {
    let row = &entry.row;
    let reason = if row.reason.is_empty() {
        word(row.state)
    } else {
        &row.reason
    };
    match row.ready {
        Some((ready, wanted)) => format!("{} {ready}/{wanted}: {reason}", row.title),
        None => format!("{}: {reason}", row.title),
    }
}

fn word(state: RowState) -> &'static str {
    match state {
        RowState::Failed => "failed",
        RowState::Waiting => "waiting",
        RowState::Done => "ready",
    }
}

fn rows(table: &Table, now: Duration, width: usize, most: usize) -> Vec<Line> {
    let shown = most_relevant(&table.entries, most);
    let cells: Vec<[String; 4]> = shown.iter().map(|entry| cells(entry, now)).collect();
    let column = |index: usize| cells.iter().map(|row| row[index].width()).max().unwrap_or(0);
    let [title, ready, reason, time] = [0, 1, 2, 3].map(column);
    let title = title.min(width * 2 / 5);
    // Sign and gaps: the line's indent, two columns for the sign, and two between each of the four cells.
    let reason = reason.min(width.saturating_sub(4 + title + 2 + ready + 2 + 2 + time));
    let line = |(entry, cells): (&&Entry, &[String; 4])| {
        let text = [
            pad_right(&cells[0], title),
            pad_left(&cells[1], ready),
            pad_right(&cells[2], reason),
            pad_left(&cells[3], time),
        ];
        Line::below(entry.row.state.into(), text.join("  ")).fitting(width)
    };
    let mut lines: Vec<Line> = shown.iter().zip(&cells).map(line).collect();
    if shown.len() < table.entries.len() && most > 0 {
        lines.push(Line::below(Sign::Waiting, describe_hidden(table, &shown)).fitting(width));
    }
    lines
}

fn cells(entry: &Entry, now: Duration) -> [String; 4] {
    let row = &entry.row;
    let counted = row.ready.map(|(ready, wanted)| format!("{ready}/{wanted}"));
    let reason = if row.reason.is_empty() {
        word(row.state)
    } else {
        &row.reason
    };
    [
        row.title.clone(),
        counted.unwrap_or_default(),
        reason.to_owned(),
        format!("{} s", entry.time(now).as_secs()),
    ]
}

/// The entries that fit: failed ones first, then waiting ones; in the order of the table.
fn most_relevant(entries: &[Entry], most: usize) -> Vec<&Entry> {
    if entries.len() <= most {
        return entries.iter().collect();
    }
    let mut order: Vec<usize> = (0..entries.len()).collect();
    order.sort_by_key(|index| entries[*index].row.state);
    // One row is for the count of the others.
    order.truncate(most.saturating_sub(1));
    order.sort_unstable();
    order.into_iter().map(|index| &entries[index]).collect()
}

/// How many are not shown: `and 12 more ready`.
fn describe_hidden(table: &Table, shown: &[&Entry]) -> String {
    let states = [RowState::Failed, RowState::Waiting, RowState::Done];
    let parts = states.into_iter().zip(table.counts()).filter_map(|(state, all)| {
        let hidden = all - shown.iter().filter(|entry| entry.row.state == state).count();
        (hidden > 0).then(|| format!("{hidden} more {}", word(state)))
    });
    format!("and {}", parts.collect::<Vec<_>>().join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::row::Row;

    type Sketch<'a> = (&'a str, RowState, Option<(u32, u32)>, &'a str);

    fn table(rows: &[Sketch]) -> Table {
        let mut table = Table::default();
        let rows = rows.iter().map(|(title, state, ready, reason)| Row {
            title: (*title).to_owned(),
            state: *state,
            ready: *ready,
            reason: (*reason).to_owned(),
        });
        table.update(rows.collect(), Duration::from_secs(1));
        table
    }

    fn many(count: usize) -> Table {
        let names: Vec<String> = (0..count).map(|number| format!("Deployment `漢{number}`")).collect();
        let row = |(number, name): (usize, &'static str)| {
            let state = match number {
                7 => RowState::Failed,
                n if n % 5 == 0 => RowState::Waiting,
                _ => RowState::Done,
            };
            (
                name,
                state,
                Some((1, 12)),
                "pod `x`: the image `registry.example.com/a/b/c` is being pulled",
            )
        };
        let names = names.into_iter().map(|name| &*name.leak());
        table(&names.enumerate().map(row).collect::<Vec<_>>())
    }

    fn text(lines: &[Line]) -> String {
        let lines = lines.iter().map(|line| line.styled().render(false));
        lines.collect::<Vec<_>>().join("\n")
    }

    fn shop() -> Table {
        table(&[
            ("StatefulSet `mariadb`", RowState::Done, Some((1, 1)), ""),
            (
                "Deployment `app`",
                RowState::Waiting,
                Some((2, 3)),
                "pod `app-5b`: the image is being pulled",
            ),
            (
                "PersistentVolumeClaim `data`",
                RowState::Failed,
                None,
                "no StorageClass `fast`",
            ),
        ])
    }

    #[test]
    fn a_table_in_80_columns_and_in_50() {
        let size = |width| Size { width, height: 24 };
        let at = |width| text(&frame("ready", "", &shop(), Duration::from_secs(13), size(width)));
        insta::assert_snapshot!(at(80), @r"
        … ready (13 s)
          ✓ StatefulSet `mariadb`         1/1  ready                                0 s
          … Deployment `app`              2/3  pod `app-5b`: the image is being …  12 s
          ✗ PersistentVolumeClaim `data`       no StorageClass `fast`               0 s
        ");
        insta::assert_snapshot!(at(50), @r"
        … ready (13 s)
          ✓ StatefulSet `maria…  1/1  ready           0 s
          … Deployment `app`     2/3  pod `app-5b`…  12 s
          ✗ PersistentVolumeCl…       no StorageCl…   0 s
        ");
    }

    #[test]
    fn a_step_without_a_table_shows_what_it_does() {
        let lines = frame(
            "image",
            "compiling serde",
            &Table::default(),
            Duration::from_secs(2),
            Size { width: 80, height: 5 },
        );
        assert_eq!(text(&lines), "… image (2 s) compiling serde");
    }

    #[test]
    fn what_does_not_fit_is_counted() {
        let lines = frame(
            "ready",
            "",
            &many(30),
            Duration::from_secs(13),
            Size { width: 60, height: 8 },
        );
        insta::assert_snapshot!(text(&lines), @r"
        … ready (13 s)
          … Deployment `漢0`   1/12  pod `x`: the image `reg…  12 s
          … Deployment `漢5`   1/12  pod `x`: the image `reg…  12 s
          ✗ Deployment `漢7`   1/12  pod `x`: the image `reg…   0 s
          … Deployment `漢10`  1/12  pod `x`: the image `reg…  12 s
          … Deployment `漢15`  1/12  pod `x`: the image `reg…  12 s
          … and 2 more waiting, 23 more ready
        ");
    }

    #[test]
    fn no_size_makes_it_wrap_or_scroll() {
        let (shop, many) = (shop(), many(40));
        for (width, height) in (0..130).flat_map(|width| [(width, 3), (width, 4), (width, 24), (width, 100)]) {
            for table in [&shop, &many] {
                let lines = frame(
                    "a rather long title of a step",
                    "",
                    table,
                    Duration::from_secs(700),
                    Size { width, height },
                );
                assert!(lines.len() < height, "{width}×{height}: {} lines", lines.len());
                for line in lines {
                    assert!(line.width() < width.max(5), "{width}×{height}: {line:?}");
                }
            }
        }
    }

    #[test]
    fn the_record_names_every_object_up_to_a_limit() {
        assert_eq!(record(&shop(), Duration::from_secs(13), 80).len(), 3);
        let lines = record(&many(300), Duration::from_secs(13), 80);
        assert_eq!(lines.len(), MOST_RECORDED);
        assert!(text(&lines).contains("✗ Deployment `漢7`"));
        assert!(
            text(&lines).ends_with("… and 12 more waiting, 239 more ready"),
            "{}",
            text(&lines)
        );
    }
}
