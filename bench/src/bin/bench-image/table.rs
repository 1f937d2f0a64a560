//! Pure: the results for people who read.

use std::fmt::Write as _;

use bench::columns;

use crate::results::{Goal, Row};

/// A line for each row; the ratios are to the first tool of each case.
pub fn text(rows: &[Row]) -> String {
    let header = ["least", "middle", "most"].map(|word| format!("{word:>8}")).concat();
    let mut text = format!(
        "{:<32}{:<13}{:<24}{:<24}{:>7}{:>9}  goal\n{:<45}{header}{header}\n",
        "", "tool", "        seconds", "        ratio", "CPU s", "MB", ""
    );
    let mut last = "";
    for row in rows {
        let case = if row.case == last { "" } else { &row.case };
        last = &row.case;
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "{case:<32}{:<13}{}{}{:>7.2}{:>9.1}{}",
            row.tool,
            columns(row.seconds),
            columns(row.ratio),
            row.processor_seconds.median,
            row.memory_mb.max,
            row.goal.map_or(String::new(), |goal| describe_goal(row, goal)),
        );
    }
    text
}

fn describe_goal(row: &Row, goal: Goal) -> String {
    let goal_text = match goal {
        Goal::Seconds(most) => format!("≤ {most:.1} s"),
        Goal::Ratio(most) => format!("≤ {most:.2}"),
        Goal::Throughput(least, memory) => format!("≤ 1/{least:.1}, < {memory:.0} MB"),
    };
    let met = if row.meets(goal) { "met" } else { "missed" };
    format!("  {goal_text} {met}")
}
