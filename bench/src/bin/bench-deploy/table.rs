//! Pure: the results for people who read.

use std::fmt::Write as _;

use bench::columns;

use crate::results::Row;

/// A line for each row; the ratios are to kubectl.
pub fn text(rows: &[Row]) -> String {
    let header = ["least", "middle", "most"].map(|word| format!("{word:>8}")).concat();
    let mut text = format!(
        "{:<28}{:<13}{:<24}{:<24}{:>7}{:>9}  goal\n{:<41}{header}{header}\n",
        "", "tool", "        seconds", "        ratio to kubectl", "CPU s", "MB", ""
    );
    let mut last = "";
    for row in rows {
        let case = if row.case == last { "" } else { &row.case };
        last = &row.case;
        let goal = row.goal.map_or(String::new(), |goal| {
            let met = if row.ratio.median <= goal { "met" } else { "missed" };
            format!("  ≤ {goal:.2} {met}")
        });
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "{case:<28}{:<13}{}{}{:>7.2}{:>9.1}{goal}",
            row.tool,
            columns(row.seconds),
            columns(row.ratio),
            row.processor_seconds.median,
            row.memory_mb.max,
        );
    }
    text
}
