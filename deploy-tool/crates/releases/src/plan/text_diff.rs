//! Pure: how two texts differ, line by line.

use std::time::Duration;

use similar::{DiffTag, TextDiff};

/// A line of the comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Line<'t> {
    /// In both.
    Same(&'t str),
    /// In the first alone.
    Gone(&'t str),
    /// In the second alone.
    New(&'t str),
    /// So many lines of both are left out here.
    Skipped(usize),
}

/// How many lines around a change are shown.
const CONTEXT: usize = 2;
/// After so long, what is not compared yet is taken as replaced altogether.
const MOST_TIME: Duration = Duration::from_secs(1);

/// The lines that differ, with those around them.
pub fn lines<'t>(before: &'t str, after: &'t str) -> Vec<Line<'t>> {
    let (before, after): (Vec<&str>, Vec<&str>) = (before.lines().collect(), after.lines().collect());
    let diff = TextDiff::configure().timeout(MOST_TIME).diff_slices(&before, &after);
    let (mut found, mut next) = (Vec::new(), 0);
    let skipped = |from: usize, to: usize| (to > from).then_some(Line::Skipped(to - from));
    for operation in diff.grouped_ops(CONTEXT).iter().flatten() {
        let (old, new) = (operation.old_range(), operation.new_range());
        found.extend(skipped(next, old.start));
        next = old.end;
        if operation.tag() == DiffTag::Equal {
            found.extend(before[old].iter().copied().map(Line::Same));
        } else {
            found.extend(before[old].iter().copied().map(Line::Gone));
            found.extend(after[new].iter().copied().map(Line::New));
        }
    }
    found.extend(skipped(next, before.len()));
    found
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;
    use Line::{Gone, New, Same, Skipped};

    #[test]
    fn shows_what_differs_and_what_is_around_it() {
        let before = "a\nb\nc\nd\ne\nf\ng\n";
        assert_eq!(lines(before, before), [Skipped(7)]);
        assert_eq!(
            lines(before, "a\nb\nc\nD\ne\nf\ng\n"),
            [
                Skipped(1),
                Same("b"),
                Same("c"),
                Gone("d"),
                New("D"),
                Same("e"),
                Same("f"),
                Skipped(1)
            ]
        );
        assert_eq!(lines("a\nb\n", "b\n"), [Gone("a"), Same("b")]);
        assert_eq!(lines("", "x\ny"), [New("x"), New("y")]);
        assert_eq!(
            lines("a\nx\nb\ny\nc", "a\nb\nc"),
            [Same("a"), Gone("x"), Same("b"), Gone("y"), Same("c")]
        );
    }

    #[test]
    fn huge_texts_are_compared_in_no_time() {
        let text = |letter: &str| (0..5_000).map(|line| format!("{letter}{line}\n")).collect::<String>();
        let start = Instant::now();
        assert_eq!(lines(&text("a"), &text("b")).len(), 10_000);
        assert!(start.elapsed() < 10 * MOST_TIME);
    }
}
