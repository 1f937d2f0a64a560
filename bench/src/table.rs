//! The results for people who read.

use std::fmt::Write as _;

use crate::measurement::Row;

/// A line for each row; the ratios are to the native build.
pub fn text(rows: &[Row]) -> String {
    let mut text = format!(
        "{:<11}{:>6}  {:<12}{:>11}{:>7}{:>10}{:>7}{:>10}{:>7}{:>12}{:>7}{:>8}\n",
        "route",
        "conns",
        "server",
        "requests/s",
        "ratio",
        "p50 ms",
        "ratio",
        "p99 ms",
        "ratio",
        "CPU us/req",
        "ratio",
        "errors"
    );
    for row in rows {
        let (middle, ratios) = (row.middle, row.ratios);
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "{:<11}{:>6}  {:<12}{:>11.0}{:>7.2}{:>10.2}{:>7.2}{:>10.2}{:>7.2}{:>12.1}{:>7.2}{:>8}",
            row.route,
            row.connections,
            row.server,
            middle.requests_per_second,
            ratios.requests_per_second,
            middle.median_ms,
            ratios.median,
            middle.p99_ms,
            ratios.p99,
            middle.processor_us,
            ratios.processor,
            middle.errors,
        );
    }
    text
}
