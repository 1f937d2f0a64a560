//! The results for people who look: throughput as a share of the native build's.

use std::fmt::Write as _;

use crate::measurement::Row;

const BAR: f64 = 15.0;
const LEFT: f64 = 130.0;
/// Pixels for a ratio of 1.
const UNIT: f64 = 420.0;
/// Bars beyond this ratio are cut.
const LONGEST: f64 = 1.25;
const TOP: f64 = 84.0;
const WIDTH: f64 = 820.0;

/// An SVG: for each route and number of connections a bar for each server but the native build, which is the line.
pub fn svg(rows: &[Row]) -> String {
    let mut bars = String::new();
    let (mut y, mut route, mut connections) = (TOP, "", 0);
    for row in rows {
        // Writing to a string cannot fail.
        if row.route != route {
            y += 26.0;
            let _ = writeln!(
                bars,
                r#"<text class="route" x="20" y="{}">{}</text>"#,
                y - 6.0,
                row.route
            );
            (route, connections) = (row.route, 0);
        }
        if row.connections != connections {
            connections = row.connections;
            let many = if connections == 1 { "connection" } else { "connections" };
            let _ = writeln!(
                bars,
                r#"<text class="label" x="{}" y="{}">{connections} {many}</text>"#,
                LEFT - 10.0,
                y + BAR + 4.0,
            );
        }
        if row.server == "native" {
            continue;
        }
        let ratio = row.ratios.requests_per_second;
        let width = ratio.min(LONGEST) * UNIT;
        let _ = writeln!(
            bars,
            r#"<rect class="{}" x="{LEFT}" y="{y:.0}" width="{width:.1}" height="{}" rx="2"/><text x="{:.1}" y="{:.0}">{ratio:.2}<tspan class="rate"> · {:.0}/s</tspan></text>"#,
            row.server,
            BAR - 2.0,
            LEFT + width + 6.0,
            y + BAR - 4.0,
            row.middle.requests_per_second,
        );
        y += if row.server == "interpreter" { BAR + 8.0 } else { BAR };
    }
    let native = LEFT + UNIT;
    format!(
        r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" aria-labelledby="title">
<title id="title">Requests per second of the service as Wasm, as a share of its native build's</title>
<style>
text {{ font: 12px system-ui, sans-serif; fill: #24292f }} .label {{ text-anchor: end }} .rate {{ fill: #57606a }}
.heading {{ font-size: 16px; font-weight: 600 }} .route {{ font-size: 13px; font-weight: 600 }}
.aot {{ fill: #6f42c1 }} .interpreter {{ fill: #c5b3e6 }} .native {{ stroke: #57606a; stroke-dasharray: 4 3 }}
</style>
<rect width="{WIDTH}" height="{height}" fill="#fff"/>
<text class="heading" x="20" y="28">Requests per second, native build = 1</text>
<rect class="aot" x="20" y="44" width="12" height="12" rx="2"/><text x="38" y="54">Wasm, ahead of time</text>
<rect class="interpreter" x="180" y="44" width="12" height="12" rx="2"/><text x="198" y="54">Wasm, interpreted</text>
<line class="native" x1="{native}" y1="{TOP}" x2="{native}" y2="{y}"/><text x="{native}" y="{above}" text-anchor="middle">native</text>
{bars}</svg>
"##,
        height = y + 12.0,
        above = TOP - 6.0,
    )
}
