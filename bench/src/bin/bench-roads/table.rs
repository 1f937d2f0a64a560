//! Pure: the results for people who read.

use std::fmt::Write as _;

use crate::results::Row;

/// A line for each road: the least, the middle and the ratio of the middle to the first road's.
pub fn text(rows: &[Row]) -> String {
    let mut text = format!(
        "{:<20}{:>16}{:>8}{:>7}{:>10}{:>8}{:>13}{:>7}\n",
        "road", "ms to an answer", "middle", "ratio", "MB", "own MB", "requests/s", "ratio"
    );
    for row in rows {
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "{:<20}{:>16.0}{:>8.0}{:>7.2}{:>10.1}{:>8.1}{:>13.0}{:>7.2}",
            row.road,
            row.start_ms.min,
            row.start_ms.median,
            row.start_ratio.median,
            row.resident_mb.median,
            row.own_mb.median,
            row.requests_per_second.median,
            row.requests_ratio.median,
        );
    }
    text
}
