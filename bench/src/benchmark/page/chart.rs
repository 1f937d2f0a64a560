//! A chart: a bar for each variant, its spread, and lines to be reached.

use std::fmt::Write as _;

use super::super::Figure;
use super::super::text::number;
use super::markup::escape;

/// As wide as a small phone, so that letters are never smaller than they are written.
const WIDTH: f64 = 340.0;
const ROW: f64 = 36.0;
const BAR: f64 = 14.0;
/// Of a row, above the bar.
const LABEL: f64 = 15.0;

/// An SVG of rows: a style's class and a figure each. Writing to a string cannot fail.
pub fn bars(rows: &[(&str, &Figure)], goals: &[(f64, &str)]) -> String {
    let figures = rows.iter().map(|(_, figure)| figure.spread.max);
    let largest = figures
        .chain(goals.iter().map(|(line, _)| *line))
        .fold(f64::MIN_POSITIVE, f64::max);
    let place = |figure: f64| figure / largest * (WIDTH - 4.0);
    let mut svg = String::new();
    let mut spoken = Vec::new();
    for ((class, figure), row) in rows.iter().zip(0_u16..) {
        let top = f64::from(row) * ROW;
        let (bar, middle) = (top + LABEL + 2.0, top + LABEL + 2.0 + BAR / 2.0);
        let spread = figure.spread;
        let (name, shown) = (escape(&figure.variant), number(spread.median));
        let ratio = figure
            .ratio
            .map(|ratio| format!("× {:.2}", ratio.median))
            .unwrap_or_default();
        let _ = write!(
            svg,
            "<text x=\"0\" y=\"{label:.0}\">{name}</text>\
             <text class=\"value\" x=\"{WIDTH}\" y=\"{label:.0}\">{shown} {unit} <tspan class=\"ratio\">{ratio}</tspan></text>\
             <rect class=\"{class}\" x=\"0\" y=\"{bar:.0}\" width=\"{width:.1}\" height=\"{BAR}\" rx=\"2\"/>\
             <path class=\"spread\" d=\"M{from:.1} {middle:.0}H{to:.1}M{from:.1} {up:.0}v6M{to:.1} {up:.0}v6\"/>",
            label = top + LABEL - 3.0,
            unit = figure.unit,
            width = place(spread.median),
            from = place(spread.min),
            to = place(spread.max),
            up = middle - 3.0,
        );
        spoken.push(format!("{name}: {shown} {} {ratio}", figure.unit));
    }
    let mut height = f64::from(u16::try_from(rows.len()).unwrap_or(u16::MAX)) * ROW;
    let bottom = height;
    for (line, title) in goals {
        height += 15.0;
        let at = place(*line);
        let wanted = title
            .split_once(['≤', '≥'])
            .map_or(*title, |(before, _)| &title[before.len()..]);
        let _ = write!(
            svg,
            "<path class=\"goal\" d=\"M{at:.1} 0V{bottom}\"/><text class=\"limit\" x=\"0\" y=\"{:.0}\">goal {}</text>",
            height - 2.0,
            escape(wanted)
        );
    }
    format!(
        "<svg viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" aria-label=\"{}\">{svg}</svg>",
        spoken.join("; ")
    )
}
