//! The nights for people who look: one line a route, and the alert line.

use std::fmt::Write as _;

use crate::history::{ALERT, History};

const WIDTH: f64 = 820.0;
const HEIGHT: f64 = 320.0;
const LEFT: f64 = 50.0;
const RIGHT: f64 = 650.0;
const TOP: f64 = 60.0;
const BOTTOM: f64 = 280.0;
/// The values at the chart's lower and upper edge; what is beyond is drawn on the edge.
const SHOWN: (f64, f64) = (0.7, 1.4);
/// Told apart by people who do not see all colours: <https://jfly.uni-koeln.de/color/>
const COLOURS: [&str; 4] = ["#0072b2", "#e69f00", "#009e73", "#cc79a7"];
/// The newest nights are shown.
const MOST_NIGHTS: usize = 90;

/// An SVG.
pub fn svg(history: &History) -> String {
    let first = history.0.len().saturating_sub(MOST_NIGHTS);
    let nights = first..history.0.len();
    #[expect(clippy::cast_precision_loss, reason = "at most ninety nights")]
    let x = |night: usize| LEFT + (RIGHT - LEFT) * (night - first) as f64 / (nights.len().max(2) - 1) as f64;
    let mut lines = String::new();
    for ((number, route), colour) in history.routes().iter().enumerate().zip(COLOURS.iter().cycle()) {
        let points = nights
            .clone()
            .filter_map(|night| Some((x(night), y(history.change(route, night)?))));
        let points: Vec<String> = points.map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
        // Writing to a string cannot fail.
        let _ = writeln!(
            lines,
            r#"<polyline points="{}" stroke="{colour}"/><text x="{}" y="{}" style="fill: {colour}">{route}</text>"#,
            points.join(" "),
            RIGHT + 12.0,
            TOP + 12.0 + 18.0 * f64::from(u32::try_from(number).unwrap_or_default()),
        );
    }
    let rule = |value: f64, class: &str| {
        let y = y(value);
        format!(
            r#"<line class="{class}" x1="{LEFT}" y1="{y}" x2="{RIGHT}" y2="{y}"/><text class="axis" x="{}" y="{}">{value}</text>"#,
            LEFT - 8.0,
            y + 4.0
        )
    };
    let day = |night: Option<usize>| night.map_or("", |night| history.0[night].day.as_str());
    format!(
        r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-labelledby="title">
<title id="title">The processor's work for a request, night by night, 1 is the usual one</title>
<style>
text {{ font: 12px system-ui, sans-serif; fill: #24292f }} .heading {{ font-size: 16px; font-weight: 600 }}
.axis {{ text-anchor: end }} line {{ stroke: #d0d7de }} .alert {{ stroke: #cf222e; stroke-dasharray: 4 3 }}
polyline {{ fill: none; stroke-width: 2; stroke-linejoin: round }}
</style>
<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>
<text class="heading" x="20" y="28">Work for a request as Wasm, compared with the fourteen nights before</text>
{}{}{}
{lines}<text x="{LEFT}" y="{below}">{}</text><text class="axis" x="{RIGHT}" y="{below}">{}</text>
</svg>
"##,
        rule(0.8, "grid"),
        rule(1.0, "grid"),
        rule(ALERT, "alert"),
        day(nights.clone().next()),
        day(nights.clone().next_back()),
        below = BOTTOM + 22.0,
    )
}

fn y(value: f64) -> f64 {
    let share = (value.clamp(SHOWN.0, SHOWN.1) - SHOWN.0) / (SHOWN.1 - SHOWN.0);
    BOTTOM - (BOTTOM - TOP) * share
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::Night;

    #[test]
    fn every_route_has_a_line_with_a_point_for_each_night_that_is_judged() {
        let nights = (1..=5).map(|day| Night {
            day: format!("2026-01-0{day}"),
            revision: "r".into(),
            ratios: ["GET /", "insert"].map(|route| (route.to_owned(), 2.0)).into(),
        });
        let svg = svg(&History(nights.collect()));
        assert_eq!(svg.matches("<polyline points=\"500.0,").count(), 2, "{svg}");
        assert!(
            svg.contains(r#"class="alert" x1="50""#) && svg.contains("2026-01-05"),
            "{svg}"
        );
        super::svg(&History::default());
    }
}
