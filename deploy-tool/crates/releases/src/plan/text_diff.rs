//! Pure: how two texts differ, line by line.

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
/// Beyond this many pairs of lines the middle is taken as replaced altogether: the table of pairs would take seconds.
const MOST_PAIRS: usize = 4_000_000;

/// The lines that differ, with those around them.
pub fn lines<'t>(before: &'t str, after: &'t str) -> Vec<Line<'t>> {
    let (before, after): (Vec<&str>, Vec<&str>) = (before.lines().collect(), after.lines().collect());
    let start = before
        .iter()
        .zip(&after)
        .take_while(|(before, after)| before == after)
        .count();
    let (rest_of_one, rest_of_other) = (&before[start..], &after[start..]);
    let pairs = rest_of_one.iter().rev().zip(rest_of_other.iter().rev());
    let end = pairs.take_while(|(before, after)| before == after).count();
    let middle = diff_lines(
        &rest_of_one[..rest_of_one.len() - end],
        &rest_of_other[..rest_of_other.len() - end],
    );
    let same = |lines: &[&'t str]| lines.iter().copied().map(Line::Same).collect::<Vec<_>>();
    let all = [
        same(&before[..start]),
        middle,
        same(&rest_of_one[rest_of_one.len() - end..]),
    ]
    .concat();
    remove_distant_lines(&all)
}

/// The longest common subsequence: <https://en.wikipedia.org/wiki/Longest_common_subsequence>
fn diff_lines<'t>(before: &[&'t str], after: &[&'t str]) -> Vec<Line<'t>> {
    if before.len().saturating_mul(after.len()) > MOST_PAIRS {
        let gone = before.iter().copied().map(Line::Gone);
        return gone.chain(after.iter().copied().map(Line::New)).collect();
    }
    let width = after.len() + 1;
    let mut common = vec![0u32; (before.len() + 1) * width];
    for i in (0..before.len()).rev() {
        for j in (0..after.len()).rev() {
            common[i * width + j] = if before[i] == after[j] {
                common[(i + 1) * width + j + 1] + 1
            } else {
                common[(i + 1) * width + j].max(common[i * width + j + 1])
            };
        }
    }
    let (mut i, mut j, mut lines) = (0, 0, Vec::new());
    while i < before.len() || j < after.len() {
        if i < before.len() && j < after.len() && before[i] == after[j] {
            lines.push(Line::Same(before[i]));
            (i, j) = (i + 1, j + 1);
        } else if j == after.len() || (i < before.len() && common[(i + 1) * width + j] >= common[i * width + j + 1]) {
            lines.push(Line::Gone(before[i]));
            i += 1;
        } else {
            lines.push(Line::New(after[j]));
            j += 1;
        }
    }
    lines
}

/// Removes lines that are far from every change.
fn remove_distant_lines<'t>(lines: &[Line<'t>]) -> Vec<Line<'t>> {
    let is_near = |index: usize| {
        let around = index.saturating_sub(CONTEXT)..(index + CONTEXT + 1).min(lines.len());
        lines[around].iter().any(|line| !matches!(line, Line::Same(_)))
    };
    let mut short = Vec::new();
    for (index, line) in lines.iter().enumerate() {
        match short.last_mut() {
            _ if is_near(index) => short.push(*line),
            Some(Line::Skipped(count)) => *count += 1,
            _ => short.push(Line::Skipped(1)),
        }
    }
    short
}

#[cfg(test)]
mod tests {
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
        assert_eq!(lines(&text("a"), &text("b")).len(), 10_000);
    }
}
